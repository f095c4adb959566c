/* The choice of addresses next to live links that keep or leave theirs: one run reaches the desired
 * state, as far as it can be reached. */
#include "tests/unit/world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

struct sequence {
	const char *name;
	const char *before, *after;
	const char *expected; /* the plan of the second */
};

/* In a /29 without gateway four addresses can be chosen, .2 to .5. */
static const struct sequence sequences[] = {
	{"a blocked container keeps its address of ipvlan",
	 "networks:\n"
	 "  a: {parent: eth1, subnet: 10.1.0.0/24}\n"
	 "  c: {parent: eth0, subnet: 10.1.0.0/24, driver: ipvlan}\n"
	 "containers: {db: {networks: [a]}, web: {networks: [c]}}\n",
	 "networks:\n"
	 "  a: {parent: eth0, subnet: 10.1.0.0/24, driver: ipvlan}\n"
	 "  c: {parent: eth9, subnet: 10.2.0.0/24}\n"
	 "containers: {db: {networks: [a]}, web: {networks: [c]}}\n",
	 "blocked c: the host has no link \"eth9\"; blocked db/a: eth0 in web has its address and "
	 "cannot be changed; blocked web/c: waits for network c"},
	{"the host's link of a renamed network",
	 "networks: {a: {parent: eth0, subnet: 10.1.0.0/24, host: {ipv4_address: 10.1.0.9}}}\n",
	 "networks: {b: {parent: eth0, subnet: 10.1.0.0/24, host: true}}\n"
	 "containers: {web: {networks: {b: {}}}}\n",
	 "delete a; create web/b; create b"},
	{"the host's link of a removed network, in a full subnet",
	 "networks: {b: {parent: eth1, subnet: 10.0.0.0/29, host: true}}\n"
	 "containers: {web: {networks: [b]}, ci: {networks: [b]}}\n",
	 "networks: {a: {parent: eth1, subnet: 10.0.0.0/29, host: true}}\n"
	 "containers: {web: {networks: [a]}, db: {networks: [a]}, ci: {networks: [a]}, job: "
	 "{networks: [a]}}\n",
	 "delete ci/b; delete web/b; delete b; create web/a; create db/a; create ci/a; create a; "
	 "blocked job/a: no free address in 10.0.0.0/29"},
	{"the host's link stays, as its network gets no address",
	 "networks: {a: {parent: eth0, subnet: 10.1.0.0/29, host: true, gateway: 10.1.0.1}}\n"
	 "containers: {web: {networks: [a]}, db: {networks: [a]}, ci: {networks: [a]}}\n",
	 "networks:\n"
	 "  a: {parent: eth1, subnet: 10.0.0.0/29, host: true}\n"
	 "  b: {parent: eth0, subnet: 10.1.0.0/29, host: true, gateway: 10.1.0.1}\n"
	 "containers:\n"
	 "  web: {networks: [a]}\n"
	 "  db: {networks: [a, b]}\n"
	 "  ci: {networks: [a, b]}\n"
	 "  job: {networks: [a, b]}\n",
	 "replace web/a mac_address 02:42:0a:01:00:02 -> 02:42:0a:00:00:02, address 10.1.0.2/29 -> "
	 "none, address none -> 10.0.0.2/29, route default via 10.1.0.1 -> none, parent eth0 -> "
	 "eth1; replace db/a mac_address 02:42:0a:01:00:03 -> 02:42:0a:00:00:03, address "
	 "10.1.0.3/29 -> none, address none -> 10.0.0.3/29, route default via 10.1.0.1 -> none, "
	 "parent eth0 -> eth1; create db/b; replace ci/a mac_address 02:42:0a:01:00:04 -> "
	 "02:42:0a:00:00:04, address 10.1.0.4/29 -> none, address none -> 10.0.0.4/29, route "
	 "default via 10.1.0.1 -> none, parent eth0 -> eth1; create ci/b; create b; pending job/a: "
	 "no network namespace yet; pending job/b: no network namespace yet; blocked a: no free "
	 "address in 10.0.0.0/29"},
};

static void test_sequence(void **state)
{
	const struct sequence *sequence = *state;
	struct live *live = world_new();
	world_reach(live, sequence->before);
	struct desired *after = desired_from(sequence->after);
	const struct plan *plan = world_plan(live, after);
	assert_string_equal(plan_text(plan), sequence->expected);
	world_apply(live, plan);
	const struct plan *again = world_plan(live, after);
	if (!plan_empty(again))
		fail_msg("left: %s", plan_text(again));
	plan_free(again);
	plan_free(plan);
	desired_free(after);
	world_free(live);
}

/* The new link of the host has the address of the old one. */
static void test_renamed_network(void **state)
{
	(void)state;
	struct live *live = world_new();
	world_reach(live, sequences[1].before);
	world_reach(live, sequences[1].after);
	char text[PREFIX_TEXT_SIZE];
	const struct live_ns *host = live->namespaces[0];
	const struct live_link *link = live_link_by_name(host, "mv-b");
	assert_non_null(link);
	each_addr_of (addr, host, link->ifindex)
		assert_string_equal(prefix_format(&addr->prefix, text), "10.1.0.9/32");
	world_free(live);
}

/* Addresses that the live state and the files lack, in a /29 with .2 to .5 to choose from. */
static void test_others(void **state)
{
	static const struct {
		size_t count;
		const char *networks, *expected;
	} rows[] = {
		{3, "{a: {}}", "create web/a"},
		{4, "{a: {}}", "blocked web/a: no free address in 10.0.0.0/29"},
		{1, "{a: {ipv4_address: 10.0.0.3}}", "create web/a"},
		{2, "{a: {ipv4_address: 10.0.0.3}}",
		 "blocked web/a: address 10.0.0.3 is already used by another container"},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct ip items[4];
		char yaml[256], text[IP_TEXT_SIZE];
		struct plan_options options = open_options;
		struct other_addresses others = {.items = items, .count = rows[i].count};
		for (size_t k = 0; k < rows[i].count; k++) {
			snprintf(text, sizeof(text), "10.0.0.%zu", k + 2);
			assert_true(ip_parse(text, &items[k]));
		}
		options.others = &others;
		snprintf(yaml, sizeof(yaml),
			 "networks: {a: {parent: eth1, subnet: 10.0.0.0/29}}\n"
			 "containers: {web: {networks: %s}}\n",
			 rows[i].networks);
		struct live *live = world_new();
		world_expect(live, yaml, &options, rows[i].expected);
		world_free(live);
	}
}

int main(void)
{
	struct CMUnitTest tests[sizeof(sequences) / sizeof(sequences[0]) + 2];
	const size_t rows = sizeof(sequences) / sizeof(sequences[0]);
	for (size_t i = 0; i < rows; i++)
		tests[i] = (struct CMUnitTest){.name = sequences[i].name,
					       .test_func = test_sequence,
					       .initial_state = (void *)(uintptr_t)&sequences[i]};
	tests[rows] = (struct CMUnitTest)cmocka_unit_test(test_renamed_network);
	tests[rows + 1] = (struct CMUnitTest)cmocka_unit_test(test_others);
	return cmocka_run_group_tests_name("ipam", tests, NULL, NULL);
}
