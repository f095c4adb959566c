/* Random declarations one after the other on one host: each is reached by its plan, a second plan
 * is empty, and unmanaged objects are unchanged. */
#include "tests/unit/random.h"
#include "tests/unit/world.h"

#include <linux/rtnetlink.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define ENGINE_LINK    2 /* eth0 in web */
#define SEQUENCES      3000
#define SEQUENCE_STEPS 25

static void unmanaged_check(struct live *live)
{
	const struct live_link *link = live_link_by_name(world_ns(live, "web"), "eth0");
	assert_non_null(link);
	assert_int_equal(link->ifindex, 2);
	assert_int_equal(link->mtu, 1280);
	assert_non_null(live_link_by_name(live->namespaces[0], "eth1.20"));
}

static struct live *random_host(void)
{
	struct live *live = world_new();
	world_link(world_ns(live, "web"), "eth0", KIND_OTHER)->mtu = 1280;
	world_addr(world_ns(live, "web"), ENGINE_LINK, "172.17.0.2/16", 0);
	struct live_link *vlan = world_link(live->namespaces[0], "eth1.20", KIND_VLAN);
	vlan->parent_where = PARENT_HOST;
	vlan->parent = 3;
	vlan->vlan = 20;
	return live;
}

/* Adds or removes the default route of another program. */
static void engine_change(struct live_ns *ns)
{
	for (size_t i = 0; i < ns->n_routes; i++) {
		if (ns->routes[i].ifindex != ENGINE_LINK || ns->routes[i].table)
			continue;
		ns->routes[i] = ns->routes[--ns->n_routes];
		return;
	}
	world_route(ns, ENGINE_LINK, "0.0.0.0/0", "172.17.0.1", RTPROT_BOOT);
}

static bool refused(const struct plan *plan)
{
	return plan_count(plan, ACTION_REFUSED) > 0;
}

static bool one_step(struct live *live, const char *yaml)
{
	const struct plan_options options = {.unguarded = true};
	struct desired *desired = desired_try(yaml);
	if (!desired)
		return false;
	world_containers(live, desired);
	const struct plan *plan = plan_make(desired, live, &options);
	if (!refused(plan))
		world_apply(live, plan);
	const struct plan *again = plan_make(desired, live, &options);
	if (!refused(plan) && !plan_empty(again))
		fail_msg("%s\nleft: %s", yaml, plan_text(again));
	plan_free(again);
	plan_free(plan);
	desired_free(desired);
	unmanaged_check(live);
	return true;
}

static void test_random_sequences(void **state)
{
	(void)state;
	size_t planned = 0, policies = 0;
	for (unsigned seed = 1; seed <= SEQUENCES; seed++) {
		random_seed(seed);
		struct live *live = random_host();
		for (unsigned step = 0; step < SEQUENCE_STEPS; step++) {
			if (random_below(4) == 0)
				engine_change(world_ns(live, "web"));
			planned += one_step(live, random_yaml());
			policies += world_ns(live, "web")->n_rules > 0;
		}
		world_free(live);
	}
	print_message("planned %zu declarations, %zu with policy routing\n", planned, policies);
	assert_true(policies > SEQUENCES / 2);
	assert_true(planned > SEQUENCES * SEQUENCE_STEPS / 20);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_random_sequences)};
	return cmocka_run_group_tests_name("plan_random", tests, NULL, NULL);
}
