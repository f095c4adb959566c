/* A default route beside that of an engine: plans, on values alone. */
#include "tests/unit/world.h"

#include "reconcile/plan/rollback_plan.h"

#include <linux/rtnetlink.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define LAN                                                                                        \
	"networks: {lan: {parent: eth0, subnet: 172.16.86.0/24, gateway: 172.16.86.1, ip_range: "  \
	"172.16.86.0/25}}\n"
#define BESIDE(source) LAN "containers: {web: {" source "networks: {lan: {gw_priority: 1}}}}\n"
#define BESIDE_DOCKER  BESIDE("docker: web, ")

static struct live_ns *with_engine(struct live *live)
{
	struct live_ns *web = world_ns(live, "web");
	const int eth0 = world_link(web, "eth0", KIND_OTHER)->ifindex;
	world_addr(web, eth0, "172.17.0.2/16", 0);
	world_route(web, eth0, "0.0.0.0/0", "172.17.0.1", RTPROT_BOOT);
	return web;
}

static void engine_default_remove(struct live_ns *ns)
{
	size_t kept = 0;
	for (size_t i = 0; i < ns->n_routes; i++)
		if (ns->routes[i].proto == OWNER_TAG_PROTOCOL)
			ns->routes[kept++] = ns->routes[i];
	ns->n_routes = kept;
}

static void expect_policy(const struct live_ns *ns, const char *expected)
{
	struct arena *arena = arena_new();
	char text[POLICY_RULE_TEXT_SIZE];
	const char *all = "";
	for (size_t i = 0; i < ns->n_rules; i++)
		all = arena_printf(arena, "%s%s%s", all, i ? "; " : "",
				   policy_rule_format(&ns->rules[i].rule, text));
	assert_string_equal(all, expected);
	arena_free(arena);
}

static size_t routes_in(const struct live_ns *ns, uint32_t table)
{
	size_t count = 0;
	for (size_t i = 0; i < ns->n_routes; i++)
		count += ns->routes[i].table == table;
	return count;
}

#define RULES                                                                                      \
	"32763 from 172.17.0.2 lookup 78; 32764 from all lookup main suppress_prefixlength 0; "    \
	"32765 from all lookup 77"

static void test_policy_routing(void **state)
{
	(void)state;
	struct live *live = world_new();
	struct live_ns *web = with_engine(live);
	world_expect(live, BESIDE_DOCKER, &open_options, "create web/lan");
	world_reach(live, BESIDE_DOCKER);
	expect_policy(web, RULES);
	assert_int_equal(routes_in(web, 0), 1);
	assert_int_equal(routes_in(web, POLICY_TABLE), 1);
	assert_int_equal(routes_in(web, POLICY_TABLE_ANSWERS), 2);

	web->n_rules = 1;
	world_expect(live, BESIDE_DOCKER, &open_options,
		     "change web/lan rule none -> 32764 from all lookup main suppress_prefixlength "
		     "0, rule none -> 32765 from all lookup 77");
	world_reach(live, BESIDE_DOCKER);
	world_addr(web, 2, "172.17.0.9/16", 0);
	world_expect(live, BESIDE_DOCKER, &open_options,
		     "change web/lan rule none -> 32763 from 172.17.0.9 lookup 78");
	web->n_addrs--;

	world_reach(live, "");
	expect_policy(web, "");
	assert_int_equal(web->n_routes, 1);
	world_free(live);
}

/* An engine fails to connect a network if the main table has a default route: without its own, the
 * managed one stays where it is. */
static void test_policy_without_other(void **state)
{
	(void)state;
	struct live *live = world_new();
	struct live_ns *web = with_engine(live);
	world_reach(live, BESIDE_DOCKER);
	engine_default_remove(web);
	world_expect(
		live, BESIDE_DOCKER, &open_options,
		"change web/lan route 172.17.0.0/16 table 78 dev eth0 -> none, route default via "
		"172.17.0.1 table 78 dev eth0 -> none, rule 32763 from 172.17.0.2 lookup 78 -> "
		"none");
	world_reach(live, BESIDE_DOCKER);
	assert_int_equal(routes_in(web, 0), 0);
	assert_int_equal(routes_in(web, POLICY_TABLE), 1);
	world_reach(live, BESIDE(""));
	assert_int_equal(routes_in(web, 0), 1);
	assert_int_equal(routes_in(web, POLICY_TABLE), 0);
	expect_policy(web, "");
	/* There was no other one: it is in main. */
	world_reach(live, BESIDE_DOCKER);
	assert_int_equal(routes_in(web, 0), 1);
	world_free(live);
}

/* The engine's networks count as 0. */
static void test_policy_priority(void **state)
{
	(void)state;
	static const char *const kept[] = {"", "gw_priority: 0", "gw_priority: -1"};
	for (size_t i = 0; i < sizeof(kept) / sizeof(kept[0]); i++) {
		char yaml[512];
		struct live *live = world_new();
		struct live_ns *web = with_engine(live);
		snprintf(yaml, sizeof(yaml),
			 LAN "containers: {web: {docker: web, "
			     "networks: {lan: {%s}}}}\n",
			 kept[i]);
		world_reach(live, yaml);
		assert_int_equal(web->n_rules, 0);
		assert_int_equal(web->n_routes, 1);
		world_free(live);
	}
}

static void test_policy_conflicts(void **state)
{
	(void)state;
	struct live *live = world_new();
	struct live_ns *web = with_engine(live);
	struct live_rule *rule = array_push(web->arena, web->rules, web->n_rules);
	*rule = (struct live_rule){.rule = {.priority = POLICY_PRIORITY_DEFAULT,
					    .from = {.ip.family = AF_INET6},
					    .table = POLICY_TABLE}};
	world_expect(live, BESIDE_DOCKER, &open_options, "create web/lan");
	rule->rule.from.ip.family = AF_INET;
	world_expect(live, BESIDE_DOCKER, &open_options,
		     "blocked web/lan: web already has the rule 32765 from all lookup 77");
	/* Of mvapply's protocol, but with a condition that no rule of its own has. */
	rule->proto = OWNER_TAG_PROTOCOL;
	rule->other = true;
	world_expect(live, BESIDE_DOCKER, &open_options,
		     "blocked web/lan: web already has the rule 32765 from all lookup 77");
	rule->rule.priority = 100;
	world_expect(live, BESIDE_DOCKER, &open_options, "create web/lan");
	world_route(web, 2, "0.0.0.0/0", "172.17.0.1", RTPROT_BOOT);
	web->routes[web->n_routes - 1].table = POLICY_TABLE;
	world_expect(live, BESIDE_DOCKER, &open_options,
		     "blocked web/lan: web already has a default route in table 77 via 172.17.0.1");
	world_free(live);
}

static void test_policy_rollback(void **state)
{
	(void)state;
	struct live *before = world_new(), *now = world_new();
	with_engine(before);
	struct live_ns *web = with_engine(now);
	struct desired *desired = desired_from(BESIDE_DOCKER);
	const struct plan *done = world_plan(before, desired), *same = world_plan(now, desired);
	world_apply(now, same);
	expect_policy(web, RULES);
	const struct plan *back = plan_revert(done, before, now);
	assert_string_equal(plan_text(back), "delete web/lan");
	world_apply(now, back);
	expect_policy(web, "");
	assert_int_equal(web->n_routes, 1);
	plan_free(back);
	plan_free(same);
	plan_free(done);
	desired_free(desired);
	world_free(before);
	world_free(now);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_policy_routing),  cmocka_unit_test(test_policy_without_other),
		cmocka_unit_test(test_policy_priority), cmocka_unit_test(test_policy_conflicts),
		cmocka_unit_test(test_policy_rollback),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
