/* What `hosts` and ranges of hosts mean, on one host and on all. */
#include "lib/wrap.h"
#include "tests/unit/world.h"

#include "schema/hosts.h"
#include "schema/load.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct desired *load_as(const char *yaml, const char *host)
{
	struct diags diags;
	diags_init(&diags);
	const struct input input = {.file = "f.yaml", .bytes = yaml, .size = strlen(yaml)};
	struct desired *desired = load(&input, 1, host, &diags);
	for (size_t i = 0; i < diags.count; i++)
		print_error("%s", diag_format(diags.arena, &diags.items[i], WRAP_NEVER));
	assert_non_null(desired);
	diags_free(&diags);
	return desired;
}

/* The only finding, without its excerpt and hint. */
static void assert_finding(const char *yaml, const char *host, const char *expected)
{
	struct diags diags;
	char text[512];
	diags_init(&diags);
	const struct input input = {.file = "f.yaml", .bytes = yaml, .size = strlen(yaml)};
	assert_null(load(&input, 1, host, &diags));
	assert_int_equal(diags.count, 1);
	snprintf(text, sizeof(text), "%u:%u %s", diags.items[0].place.line,
		 diags.items[0].place.column, diags.items[0].text);
	assert_string_equal(text, expected);
	diags_free(&diags);
}

/* The set's parts by name: "lan six | web/lan db/lan/six". */
static const char *parts(const struct desired *desired)
{
	const struct set *set = &desired->sets[0];
	struct arena *arena = desired->arena;
	const char *text = "";
	for (size_t i = 0; i < set->n_networks; i++)
		text = arena_printf(arena, "%s%s ", text, set->networks[i].name);
	text = arena_printf(arena, "%s|", text);
	for (size_t i = 0; i < set->n_containers; i++) {
		const struct container *container = &set->containers[i];
		text = arena_printf(arena, "%s %s", text, container->name);
		for (size_t k = 0; k < container->n_attachments; k++) {
			const struct network *network = container->attachments[k].network;
			assert_true(network >= set->networks &&
				    network < set->networks + set->n_networks);
			text = arena_printf(arena, "%s/%s", text, network->name);
		}
	}
	return text;
}

/* One range. */
static void assert_ranges(const struct ip_ranges *ranges, const char *expected)
{
	char text[IP_RANGE_TEXT_SIZE];
	assert_int_equal(ranges->count, 1);
	assert_string_equal(ip_range_format(ranges->items, text), expected);
}

#define MULTI_HOST                                                                                 \
	"networks:\n"                                                                              \
	"  lan:\n"                                                                                 \
	"    parent: eth0\n"                                                                       \
	"    hosts: [h1, h2]\n"                                                                    \
	"    subnets:\n"                                                                           \
	"    - subnet: 10.0.0.0/8\n"                                                               \
	"      ip_range: {h2: 10.2.0.0/16, h1: 10.1.0.0/16}\n"                                     \
	"    - subnet: 172.16.86.0/24\n"                                                           \
	"  dmz: {parent: eth1, hosts: [h2], subnet: 172.16.87.0/24}\n"                             \
	"  own: {parent: eth2, subnet: 172.16.88.0/24}\n"                                          \
	"containers:\n"                                                                            \
	"  all: {hosts: [\"h[12]\"], networks: [lan]}\n"                                           \
	"  web: {hosts: [h1], networks: {lan: {ipv4_address: 172.16.86.20}}}\n"                    \
	"  db: {hosts: [h2], networks: [dmz, lan]}\n"                                              \
	"  box: {networks: [own]}\n"

static void each_host_has_its_part(void **state)
{
	static const char *const expected[][2] = {
		{"h1", "lan own | all/lan web/lan box/own"},
		{"h2", "lan dmz own | all/lan db/dmz/lan box/own"},
		{"h3", "own | box/own"},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(expected) / sizeof(*expected); i++) {
		struct desired *desired = load_as(MULTI_HOST, expected[i][0]);
		assert_string_equal(desired->host, expected[i][0]);
		assert_string_equal(parts(desired), expected[i][1]);
		desired_free(desired);
	}
}

static void no_host_has_all(void **state)
{
	struct desired *desired = load_as(MULTI_HOST, NULL);
	const struct network *lan = &desired->sets[0].networks[0];
	(void)state;
	assert_null(desired->host);
	assert_string_equal(parts(desired), "lan dmz own | all/lan web/lan db/dmz/lan box/own");
	assert_int_equal(lan->hosts.count, 2);
	assert_string_equal(lan->hosts.items[1], "h2");
	assert_true(lan->several_hosts);
	assert_false(lan[1].several_hosts);
	assert_false(lan[2].several_hosts);
	assert_int_equal(lan->subnets[0].n_host_ranges, 2);
	assert_string_equal(lan->subnets[0].host_ranges[0].host, "h1");
	assert_int_equal(lan->subnets[0].host_ranges[0].place.line, 7);
	assert_int_equal(lan->subnets[0].ip_range.count, 0);
	desired_free(desired);
}

static void each_host_has_its_range(void **state)
{
	struct desired *desired = load_as(MULTI_HOST, "h2");
	const struct network *lan = &desired->sets[0].networks[0];
	(void)state;
	assert_ranges(&lan->subnets[0].pool, "10.2.0.0/16");
	assert_int_equal(lan->subnets[1].pool.count, 0);
	assert_ranges(&lan[1].subnets[0].pool, "172.16.87.0/24");
	desired_free(desired);
}

/* A full range is no reason to choose from a subnet that all hosts share. */
static void only_its_range_is_chosen_from(void **state)
{
	struct desired *desired = load_as("networks:\n  lan:\n    parent: eth0\n    subnets:\n"
					  "    - subnet: 10.0.0.0/8\n"
					  "      ip_range: {h1: 10.1.0.0/32, h2: 10.2.0.0/32}\n"
					  "    - subnet: 172.16.86.0/24\n"
					  "containers:\n  web: {networks: [lan]}\n"
					  "  db: {networks: [lan]}\n",
					  "h1");
	struct live *live = world_new();
	(void)state;
	world_containers(live, desired);
	const struct plan *plan = plan_make(desired, live, &plan_options_default);
	assert_string_equal(plan_text(plan), "create web/lan; blocked db/lan: no free address in "
					     "10.1.0.0/32");
	plan_free(plan);
	world_free(live);
	desired_free(desired);
}

#define RANGES "ip_range: {h1: 10.1.0.0/16, h2: 10.2.0.0/16}"
#define LAN    "networks:\n  lan: {parent: eth0, subnet: 10.0.0.0/8, " RANGES "}\n"

static void a_host_that_only_globs_name(void **state)
{
	static const char glob[] = LAN "containers:\n  web: {hosts: [\"h*\"], networks: [lan]}\n";
	static const char any[] = LAN "containers:\n  web: {networks: [lan]}\n";
	static const char here[] = "networks:\n"
				   "  lan: {parent: eth0, hosts: [h1], subnet: 10.0.0.0/8}\n"
				   "containers:\n  web: {networks: [lan]}\n";
	(void)state;
	desired_free(load_as(glob, NULL));
	desired_free(load_as(glob, "h2"));
	desired_free(load_as(glob, "other"));
	assert_finding(glob, "h3",
		       "4:35 containers.web.networks.lan does not set ipv4_address, and "
		       "networks.lan has no ip_range for host h3");
	assert_finding(any, "other",
		       "4:20 containers.web.networks.lan does not set ipv4_address, and "
		       "networks.lan has no ip_range for host other");
	desired_free(load_as(here, "h1"));
	assert_finding(here, "h2",
		       "4:20 containers.web.networks.lan is not on host h2, but containers.web is");
}

static void without_hosts_nothing_changes(void **state)
{
	struct desired *desired = load_as("networks:\n"
					  "  lan: {parent: eth0, subnet: 10.0.0.0/8}\n"
					  "containers:\n  web: {networks: [lan]}\n",
					  "anything at all");
	(void)state;
	assert_string_equal(parts(desired), "lan | web/lan");
	assert_ranges(&desired->sets[0].networks[0].subnets[0].pool, "10.0.0.0/8");
	assert_false(desired->sets[0].networks[0].several_hosts);
	desired_free(desired);
}

/* A subnet of the LAN that several hosts use is shared by all its networks. */
static void sharing_a_subnet_means_several_hosts(void **state)
{
	struct desired *desired =
		load_as("networks:\n"
			"  a: {parent: eth0, hosts: [h1], subnet: 10.1.0.0/16}\n"
			"  b: {parent: eth0, hosts: [h1, h2], subnet: 10.0.0.0/8}\n"
			"  c: {parent: eth0, hosts: [h1], subnet: 172.16.0.0/16}\n"
			"  d: {parent: eth1, hosts: [h1], subnet: 10.1.0.0/16}\n"
			"  e: {parent: eth0, hosts: [h3], subnet: 10.1.0.0/16}\n"
			"  f: {parent: eth0, hosts: [h2], subnet: 172.16.0.0/16}\n",
			NULL);
	const struct network *networks = desired->sets[0].networks;
	static const bool several[] = {true, true, true, false, false, true};
	(void)state;
	for (size_t i = 0; i < sizeof(several); i++)
		assert_int_equal(networks[i].several_hosts, several[i]);
	desired_free(desired);
}

static void lists_of_hosts(void **state)
{
	static const struct {
		const char *a, *b;
		bool meet;
	} rows[] = {
		{"h1", "h1", true},
		{"h1", "h2", false},
		{"h*", "h1", true},
		{"h1", "h?", true},
		{"h?", "h10", false},
		{"h[!1]", "h1", false},
		{"rack1-*", "rack2-*", false},
		{"rack*", "rack2-*", true},
		{"*.oslo", "*.rome", false},
		{"web*.oslo", "*.oslo", true},
		{"*", "*", true},
		{"a*b", "a*c", false},
		{"a/b", "a*", true},
		{".h", "*", true},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		const char *a[] = {"other", rows[i].a}, *b[] = {rows[i].b};
		const struct hosts left = {a, 2}, right = {b, 1}, every = {0};
		assert_int_equal(hosts_meet(&left, &right), rows[i].meet);
		assert_int_equal(hosts_meet(&right, &left), rows[i].meet);
		assert_true(hosts_meet(&left, &every) && hosts_meet(&every, &right));
		assert_true(hosts_have(&every, rows[i].a));
	}
}

/* The MAC of the only link, derived from names as there is no IPv4. */
static struct mac mac_on(const char *network, const char *host)
{
	char yaml[512];
	snprintf(yaml, sizeof(yaml),
		 "networks:\n  lan: {parent: eth0, %s}\ncontainers:\n"
		 "  web: {networks: [lan]}\n",
		 network);
	struct desired *desired = load_as(yaml, host);
	struct live *live = world_new();
	world_containers(live, desired);
	const struct plan *plan = plan_make(desired, live, &plan_options_default);
	assert_string_equal(plan_text(plan), "create web/lan");
	struct mac mac = plan->steps[0].desired->mac;
	plan_free(plan);
	world_free(live);
	desired_free(desired);
	return mac;
}

static void macs_of_names(void **state)
{
	static const char one[] = "subnet: \"fd00:86::/64\"";
	static const char several[] =
		"subnet: \"fd00:86::/64\", "
		"ip_range: {h1: \"fd00:86::1:0/112\", h2: \"fd00:86::2:0/112\"}";
	struct mac here = mac_on(one, "h1"), there = mac_on(one, "h2");
	struct mac first = mac_on(several, "h1"), second = mac_on(several, "h2");
	(void)state;
	assert_true(mac_equal(&here, &there));
	assert_false(mac_equal(&first, &second));
	assert_false(mac_equal(&first, &here));
	assert_int_equal(first.bytes[0], 0x06);
}

/* An unknown host has no part of the files: that is probably a mistake, so it deletes nothing. */
static void an_unknown_host_is_guarded(void **state)
{
	static const char yaml[] = "networks:\n"
				   "  lan: {parent: eth0, hosts: [h1], subnet: 10.0.0.0/8}\n"
				   "containers:\n  web: {hosts: [h1], networks: [lan]}\n";
	struct desired *here = load_as(yaml, "h1"), *other_host = load_as(yaml, "h2");
	struct live *live = world_new();
	(void)state;
	world_containers(live, here);
	const struct plan *plan = plan_make(here, live, &plan_options_default);
	world_apply(live, plan);
	plan_free(plan);
	world_containers(live, other_host);
	plan = plan_make(other_host, live, &plan_options_default);
	assert_string_equal(plan_text(plan), "delete web/lan");
	assert_true(plan->guard.refused);
	plan_free(plan);
	world_free(live);
	desired_free(here);
	desired_free(other_host);
}

/* More comparisons than the limit are refused, instead of taking very long. */
static void too_many_globs(void **state)
{
	char *text = NULL;
	size_t size = 0;
	(void)state;
	FILE *out = open_memstream(&text, &size);
	fputs("networks:\n", out);
	for (int i = 0; i < 20000; i++)
		fprintf(out,
			"  n%d: {parent: eth0, hosts: [\"*%da\", \"*%db\"], subnet: 10.0.0.0/8}\n",
			i, i, i);
	fclose(out);
	assert_finding(text, NULL, "0:0 the files have too many hosts and globs to compare");
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_host_has_its_part),
		cmocka_unit_test(no_host_has_all),
		cmocka_unit_test(each_host_has_its_range),
		cmocka_unit_test(only_its_range_is_chosen_from),
		cmocka_unit_test(a_host_that_only_globs_name),
		cmocka_unit_test(without_hosts_nothing_changes),
		cmocka_unit_test(sharing_a_subnet_means_several_hosts),
		cmocka_unit_test(lists_of_hosts),
		cmocka_unit_test(macs_of_names),
		cmocka_unit_test(an_unknown_host_is_guarded),
		cmocka_unit_test(too_many_globs),
	};
	return cmocka_run_group_tests_name("multi_host", tests, NULL, NULL);
}
