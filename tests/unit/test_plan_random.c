/* Random declarations one after the other on one host: each is reached by its plan, a second plan
 * is empty, and unmanaged objects are unchanged. */
#include "tests/unit/random.h"
#include "tests/unit/world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

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
	struct live_link *vlan = world_link(live->namespaces[0], "eth1.20", KIND_VLAN);
	vlan->parent_where = PARENT_HOST;
	vlan->parent = 3;
	vlan->vlan = 20;
	return live;
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
	size_t planned = 0;
	for (unsigned seed = 1; seed <= SEQUENCES; seed++) {
		random_seed(seed);
		struct live *live = random_host();
		for (unsigned step = 0; step < SEQUENCE_STEPS; step++)
			planned += one_step(live, random_yaml());
		world_free(live);
	}
	print_message("planned %zu declarations\n", planned);
	assert_true(planned > SEQUENCES * SEQUENCE_STEPS / 20);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_random_sequences)};
	return cmocka_run_group_tests_name("plan_random", tests, NULL, NULL);
}
