/* Attachments of several containers in one namespace: its link names, its default route and its
 * routes are assigned once, independent of set and container. */
#include "tests/unit/world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* Other names of a namespace that the input cannot recognise as equal: all lead to "web". */
static void one_namespace(struct live *live, const struct desired *desired)
{
	world_containers(live, desired);
	for (size_t i = 0; i < live->n_containers; i++)
		live->container_lookups[i] =
			(struct container_lookup){.container = live->container_lookups[i].container,
						  .ns = world_ns(live, "web")};
}

static const struct plan *plan_of(struct live *live, const char *yaml, struct desired **ret_desired)
{
	const struct plan_options options = {.unguarded = true};
	struct desired *desired = desired_from(yaml);
	one_namespace(live, desired);
	*ret_desired = desired;
	return plan_make(desired, live, &options);
}

static const struct link_spec *spec_of(const struct plan *plan, const char *container)
{
	for (size_t i = 0; i < plan->n_steps; i++)
		if (plan->steps[i].desired && plan->steps[i].action == ACTION_CREATE &&
		    strcmp(plan->steps[i].tag->container, container) == 0)
			return plan->steps[i].desired;
	fail_msg("no %s: %s", container, plan_text(plan));
	return NULL;
}

#define NETWORKS                                                                                   \
	"networks:\n"                                                                              \
	"  n: {parent: eth0, subnet: 172.16.86.0/24, gateway: 172.16.86.1}\n"                      \
	"  m: {parent: eth0, subnet: 10.8.0.0/24, gateway: 10.8.0.1}\n"                            \
	"containers:\n"

static void expect(const char *yaml, const char *text)
{
	struct desired *desired;
	struct live *live = world_new();
	const struct plan *plan = plan_of(live, yaml, &desired);
	assert_string_equal(plan_text(plan), text);
	plan_free(plan);
	desired_free(desired);
	world_free(live);
}

static void expect_owner(const char *yaml, const char *with, const char *without)
{
	struct desired *desired;
	struct live *live = world_new();
	const struct plan *plan = plan_of(live, yaml, &desired);
	assert_int_equal(spec_of(plan, with)->n_routes, 1);
	assert_int_equal(spec_of(plan, without)->n_routes, 0);
	assert_string_not_equal(spec_of(plan, with)->name, spec_of(plan, without)->name);
	world_apply(live, plan);
	const struct plan *again =
		plan_make(desired, live, &(struct plan_options){.unguarded = true});
	assert_string_equal(plan_text(again), "");
	plan_free(again);
	plan_free(plan);
	desired_free(desired);
	world_free(live);
}

static void test_default_route(void **state)
{
	(void)state;
	expect_owner(NETWORKS "  one: {networks: [n]}\n  two: {networks: [m]}\n", "one", "two");
	expect_owner(NETWORKS "  one: {networks: [n]}\n  two: {networks: {m: {gw_priority: 1}}}\n",
		     "two", "one");
	expect_owner("name: a\n" NETWORKS "  one: {networks: [n]}\n---\nname: b\n" NETWORKS
		     "  two: {networks: {m: {ipv4_address: 10.8.0.9}}}\n",
		     "one", "two");
}

static void test_names(void **state)
{
	(void)state;
	expect(NETWORKS "  one: {networks: {n: {interface_name: lan0}}}\n"
			"  two: {networks: {m: {interface_name: lan0}}}\n",
	       "create one/n; blocked two/m: one/n also gets the name lan0 in web");
}

static void test_routes(void **state)
{
	(void)state;
	expect(NETWORKS "  one: {networks: {n: {routes: [{to: 10.0.0.0/8, via: 172.16.86.9}]}}}\n"
			"  two: {networks: {m: {routes: [{to: 10.0.0.0/8, via: 10.8.0.9}]}}}\n",
	       "create one/n; blocked two/m: one/n also gets a route to 10.0.0.0/8 in web");
}

/* Objects of another set's run are kept, and do not stop the run. */
static void test_other_set(void **state)
{
	(void)state;
	struct desired *desired;
	struct live *live = world_new();
	struct live_ns *web = world_ns(live, "web");
	struct live_link *link = world_link(web, "eth0", KIND_MACVLAN);
	link->alias = "mvapply:attach:a/n/one";
	link->tag = owner_tag_parse(web->arena, link->alias);
	world_route(web, link->ifindex, "0.0.0.0/0", "172.16.86.1", OWNER_TAG_PROTOCOL);
	world_route(web, link->ifindex, "10.0.0.0/8", "172.16.86.9", OWNER_TAG_PROTOCOL);
	const struct plan *plan = plan_of(live, NETWORKS "  two: {networks: [m]}\n", &desired);
	assert_string_equal(plan_text(plan), "create two/m");
	assert_int_equal(spec_of(plan, "two")->n_routes, 0);
	assert_string_equal(spec_of(plan, "two")->name, "eth1");
	assert_string_equal(
		warning_text(&plan->warnings[0], plan->arena),
		"two keeps the default route of set \"a\", via 172.16.86.1; the one of network m "
		"(via 10.8.0.1) is not added");
	plan_free(plan);
	desired_free(desired);
	plan = plan_of(live,
		       NETWORKS
		       "  two: {networks: {m: {routes: [{to: 10.0.0.0/8, via: 10.8.0.9}]}}}\n",
		       &desired);
	assert_string_equal(
		plan_text(plan),
		"blocked two/m: web already has a route to 10.0.0.0/8 via 172.16.86.9, of set "
		"\"a\"");
	plan_free(plan);
	desired_free(desired);
	world_free(live);
}

/* Two sets attach a namespace to one LAN once; the first of the input has priority. */
static void test_same_lan(void **state)
{
	(void)state;
	static const char *const rows[][2] = {
		{"{parent: eth0, subnet: 172.16.86.0/24}", "create one/n"},
		{"{parent: eth0, subnet: 172.16.0.0/16}", "create one/n"},
		{"{parent: eth0, subnet: 10.8.0.0/24}", "create one/n; create two/m"},
		{"{parent: eth1, subnet: 172.16.86.0/24}", "create one/n; create two/m"},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char yaml[512];
		snprintf(yaml, sizeof(yaml),
			 "name: a\nnetworks: {n: {parent: eth0, subnet: 172.16.86.0/24}}\n"
			 "containers: {one: {networks: [n]}}\n---\n"
			 "name: b\nnetworks: {m: %s}\ncontainers: {two: {networks: [m]}}\n",
			 rows[i][0]);
		struct desired *desired;
		struct live *live = world_new();
		const struct plan *plan = plan_of(live, yaml, &desired);
		assert_int_equal(plan_count(plan, ACTION_BLOCKED), i < 2);
		const char *text = plan_text(plan);
		const char *blocked =
			strstr(text, "; blocked two/m: also attached to the same LAN by set \"a\"");
		assert_true(blocked || i >= 2);
		assert_string_equal(
			arena_strndup(plan->arena, text,
				      blocked ? (size_t)(blocked - text) : strlen(text)),
			rows[i][1]);
		plan_free(plan);
		desired_free(desired);
		world_free(live);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_default_route), cmocka_unit_test(test_names),
		cmocka_unit_test(test_routes),        cmocka_unit_test(test_other_set),
		cmocka_unit_test(test_same_lan),
	};
	return cmocka_run_group_tests_name("per_host_unique", tests, NULL, NULL);
}
