/* The difference between the files' networks with `docker:` and what Docker 20.10 answers to
 * GET /networks. */
#include "cmd/docker_plugin/network_changes.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define NETWORK(name, driver, labels, config)                                                      \
	"[{\"Name\":\"" name "\",\"Id\":\"i\",\"Driver\":\"" driver "\",\"Labels\":{" labels       \
	"},\"IPAM\":{\"Config\":[" config "]}}]"
#define OURS         "\"mvapply.network\":\"default/lan\""
#define SUBNET       "{\"Subnet\":\"10.8.0.0/24\",\"Gateway\":\"10.8.0.1\"}"
#define SUBNET_ALONE "{\"Subnet\":\"10.8.0.0/24\"}"
#define GATEWAY      "10.8.0.1"
#define OTHER_SUBNET "{\"Subnet\":\"10.9.0.0/24\",\"Gateway\":\"10.8.0.1\"}"

/* One change, as a letter: -, +, or r; "" is none. `gateway` of the files: NULL is none. */
static const char *changes_of(const char *text, const char *docker, const char *gateway)
{
	struct subnet subnet = {.gateway.family = 0};
	struct network network = {
		.name = "lan", .docker = docker, .subnets = &subnet, .n_subnets = 1};
	struct set set = {.name = "default", .networks = &network, .n_networks = 1};
	const struct desired desired = {.sets = &set, .n_sets = 1};
	struct arena *arena = arena_new();
	json_t *networks = json_loads(text, 0, NULL);
	assert_non_null(networks);
	assert_true(prefix_parse("10.8.0.0/24", &subnet.prefix));
	if (gateway)
		assert_true(ip_parse(gateway, &subnet.gateway));
	const struct network_changes changes = network_changes_find(&desired, networks, arena);
	const char *found = changes.count == 0 ? "" : "several";
	if (changes.count == 1)
		found = !changes.items[0].id ? "+" : changes.items[0].network ? "r" : "-";
	json_decref(networks);
	arena_free(arena);
	return found;
}

static void test_changes(void **state)
{
	static const struct {
		const char *docker, *networks, *change, *gateway;
	} rows[] = {
		{"lan", "[]", "+", GATEWAY},
		{NULL, "[]", "", GATEWAY},
		{"lan", NETWORK("lan", "mvapply", OURS, SUBNET), "", GATEWAY},
		{"lan", NETWORK("lan", "mvapply", OURS, SUBNET), "r", NULL},
		{"lan", NETWORK("lan", "mvapply", OURS, OTHER_SUBNET), "r", GATEWAY},
		{"lan", NETWORK("lan", "mvapply", OURS, SUBNET "," OTHER_SUBNET), "r", GATEWAY},
		{"lan", NETWORK("lan", "mvapply", OURS, ""), "r", GATEWAY},
		{"lan", NETWORK("lan", "mvapply", OURS, SUBNET_ALONE), "r", GATEWAY},
		{"lan", NETWORK("lan", "mvapply", OURS, SUBNET_ALONE), "", NULL},
		{"lan",
		 NETWORK("lan", "mvapply", OURS,
			 "{\"Subnet\":\"10.8.0.0/24\",\"Gateway\":\"10.8.0.0\"}"),
		 "", NULL},
		{"lan", NETWORK("lan", "mvapply", "\"mvapply.network\":\"default/old\"", SUBNET),
		 "r", GATEWAY},
		{"lan", NETWORK("lan", "mvapply", "", OTHER_SUBNET), "", GATEWAY},
		{"lan", NETWORK("lan", "bridge", OURS, OTHER_SUBNET), "", GATEWAY},
		{NULL, NETWORK("lan", "mvapply", OURS, SUBNET), "-", GATEWAY},
		{NULL, NETWORK("lan", "mvapply", "", SUBNET), "", GATEWAY},
		{NULL, NETWORK("lan", "macvlan", OURS, SUBNET), "", GATEWAY},
		{NULL, NETWORK("lan", "mvapply", "\"mvapply.network\":\"other/lan\"", SUBNET), "",
		 GATEWAY},
		{"new", NETWORK("lan", "mvapply", OURS, SUBNET), "several", GATEWAY},
		{"lan", NETWORK("lan", "mvapply", OURS, SUBNET_ALONE), "", "192.0.2.1"},
		{"lan",
		 NETWORK("lan", "mvapply", OURS,
			 "{\"Subnet\":\"10.8.0.0/24\",\"Gateway\":\"10.8.0.0\"}"),
		 "", "192.0.2.1"},
		{"lan", NETWORK("lan", "mvapply", OURS, SUBNET), "r", "192.0.2.1"},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_string_equal(changes_of(rows[i].networks, rows[i].docker, rows[i].gateway),
				    rows[i].change);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_changes)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
