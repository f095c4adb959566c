/* Rollback plans, on values alone: each row applies an edit, and rolls it back. */
#include "tests/unit/world.h"

#include "reconcile/plan/rollback_plan.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define LAN(keys) "networks: {lan: {parent: eth0, subnet: 172.16.86.0/24" keys "}}\n"
#define VLAN      "networks: {lan: {parent: eth0, vlan: 10, subnet: 172.16.86.0/24}}\n"
#define WEB       "containers: {web: {networks: [lan]}}\n"
#define WEB_DB    "containers: {web: {networks: [lan]}, db: {networks: [lan]}}\n"

struct edit {
	const char *name;
	const char *before, *after;
	const char *expected; /* of the rollback */
};

static const struct edit edits[] = {
	{"nothing", LAN("") WEB, LAN("") WEB, ""},
	{"created", LAN("") WEB, LAN("") WEB_DB, "delete db/lan"},
	{"deleted", LAN("") WEB_DB, LAN("") WEB, "create db/lan"},
	{"mtu", LAN("") WEB, LAN(", mtu: 1400") WEB, "change web/lan mtu 1400 -> 1500"},
	{"gateway", LAN(", gateway: 172.16.86.254") WEB, LAN("") WEB,
	 "change web/lan route none -> default via 172.16.86.254"},
	{"replaced", LAN("") WEB, LAN(", driver: ipvlan, mode: l3") WEB,
	 "replace web/lan mac_address 52:54:00:00:01:01 -> 02:42:ac:10:56:02, mode l3 -> "
	 "bridge, driver ipvlan -> macvlan"},
	{"vlan made", "", VLAN WEB, "delete web/lan; delete eth0.10"},
	{"vlan gone", VLAN WEB, "", "create eth0.10; create web/lan"},
};

static struct live *world_with(const char *yaml)
{
	struct live *live = world_new();
	struct desired *desired = desired_from(yaml);
	world_containers(live, desired);
	const struct plan *plan = plan_make(desired, live, &plan_options_default);
	world_apply(live, plan);
	plan_free(plan);
	desired_free(desired);
	live->n_containers = 0;
	return live;
}

static const struct plan *plan_for(struct live *live, const struct desired *desired)
{
	const struct plan_options options = {.unguarded = true};
	world_containers(live, desired);
	return plan_make(desired, live, &options);
}

/* `before` is unchanged, `now` has the plan applied: two worlds that were equal. */
struct scene {
	struct desired *desired;
	struct live *before, *now;
	const struct plan *done;
};

static void scene_open(struct scene *scene, const char *before, const char *after)
{
	scene->desired = desired_from(after);
	scene->before = world_with(before);
	scene->now = world_with(before);
	scene->done = plan_for(scene->before, scene->desired);
	const struct plan *same = plan_for(scene->now, scene->desired);
	world_apply(scene->now, same);
	plan_free(same);
}

static void scene_close(struct scene *scene)
{
	plan_free(scene->done);
	desired_free(scene->desired);
	world_free(scene->before);
	world_free(scene->now);
}

static void assert_back(const struct scene *scene, const char *expected)
{
	const struct plan *back = plan_revert(scene->done, scene->before, scene->now);
	assert_string_equal(plan_text(back), expected);
	world_apply(scene->now, back);
	plan_free(back);
	back = plan_revert(scene->done, scene->before, scene->now);
	assert_string_equal(plan_text(back), "");
	plan_free(back);
}

static void test_edit(void **state)
{
	const struct edit *edit = *state;
	struct scene scene;
	scene_open(&scene, edit->before, edit->after);
	assert_back(&scene, edit->expected);
	struct desired *desired = desired_from(edit->before);
	const struct plan *again = plan_for(scene.now, desired);
	assert_string_equal(plan_text(again), "");
	plan_free(again);
	desired_free(desired);
	scene_close(&scene);
}

/* Killed before the first change. */
static void test_not_reached(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(edits) / sizeof(edits[0]); i++) {
		struct scene scene;
		scene_open(&scene, edits[i].before, edits[i].after);
		const struct plan *back = plan_revert(scene.done, scene.before, scene.before);
		assert_string_equal(plan_text(back), "");
		plan_free(back);
		scene_close(&scene);
	}
}

static void test_vlan_used_by_others(void **state)
{
	struct scene scene;
	(void)state;
	scene_open(&scene, "", VLAN WEB);
	struct live_ns *host = scene.now->namespaces[0];
	const int vlan = live_link_by_name(host, "eth0.10")->ifindex;
	struct live_link *theirs = world_link(host, "theirs", KIND_MACVLAN);
	theirs->parent = vlan;
	theirs->parent_where = PARENT_HOST;
	const struct plan *back = plan_revert(scene.done, scene.before, scene.now);
	assert_string_equal(plan_text(back), "delete web/lan; kept eth0.10: used by theirs in the "
					     "host");
	plan_free(back);
	scene_close(&scene);
}

/* Changes of others on an untouched link of the set are not undone. */
static void test_untouched_stays(void **state)
{
	struct scene scene;
	(void)state;
	scene_open(&scene, LAN("") WEB, LAN("") WEB_DB);
	struct live_ns *web = world_ns(scene.now, "web");
	web->links[0].mtu = 1200;
	assert_back(&scene, "delete db/lan");
	assert_int_equal(web->links[0].mtu, 1200);
	scene_close(&scene);
}

/* An unmanaged address of a deleted link is restored, and remains unmanaged. */
static void test_unmanaged_address(void **state)
{
	struct scene scene;
	(void)state;
	scene_open(&scene, LAN("") WEB_DB, LAN("") WEB);
	const struct live_ns *db = world_ns(scene.before, "db");
	world_addr(world_ns(scene.before, "db"), db->links[0].ifindex, "192.0.2.1/32", 3);
	const struct plan *back = plan_revert(scene.done, scene.before, scene.now);
	const struct link_spec *desired = back->steps[0].desired;
	struct prefix unmanaged;
	assert_true(prefix_parse("192.0.2.1/32", &unmanaged));
	assert_int_equal(desired->n_addrs, 2);
	assert_int_equal(link_spec_addr_terms(desired, &unmanaged).protocol, 3);
	assert_int_equal(link_spec_addr_terms(desired, &desired->addrs[0]).protocol,
			 OWNER_TAG_PROTOCOL);
	assert_int_equal(desired->ifindex, db->links[0].ifindex);
	plan_free(back);
	scene_close(&scene);
}

/* An unreadable object does not count as deleted, and nothing is created beside it. */
static void test_unreadable(void **state)
{
	(void)state;
	static const char *const pairs[][2] = {{LAN("") WEB, LAN("") WEB_DB},
					       {LAN("") WEB_DB, LAN("") WEB}};
	for (size_t i = 0; i < 2; i++) {
		struct scene scene;
		scene_open(&scene, pairs[i][0], pairs[i][1]);
		world_ns(scene.now, "db")->stale = true;
		const struct plan *back = plan_revert(scene.done, scene.before, scene.now);
		assert_string_equal(
			plan_text(back),
			"blocked db/lan: may differ from before: the namespace cannot be read");
		plan_free(back);
		scene_close(&scene);
	}
}

/* The container's name leads to another namespace now: its link is created only there. */
static void test_restarted(void **state)
{
	(void)state;
	static const char *const edits_of_db[][2] = {
		{LAN("") WEB, "create db/lan"},
		{LAN(", mtu: 1400") WEB_DB,
		 "delete db/lan; change web/lan mtu 1400 -> 1500; create db/lan"},
	};
	for (size_t i = 0; i < 2; i++) {
		struct scene scene;
		scene_open(&scene, LAN("") WEB_DB, edits_of_db[i][0]);
		struct container container = {.name = "db", .source = "db"};
		struct container_lookup was = {.container = &container,
					       .ns = world_ns(scene.before, "db"),
					       .stale = true},
					is = {.container = &container,
					      .ns = world_ns(scene.now, "ci")};
		scene.before->container_lookups = &was;
		scene.now->container_lookups = &is;
		scene.before->n_containers = scene.now->n_containers = 1;
		assert_back(&scene, edits_of_db[i][1]);
		assert_int_equal(world_ns(scene.now, "db")->n_links, 0);
		assert_string_equal(world_ns(scene.now, "ci")->links[0].alias,
				    "mvapply:attach:default/lan/db");
		scene_close(&scene);
	}
}

static const struct CMUnitTest others[] = {
	cmocka_unit_test(test_not_reached),     cmocka_unit_test(test_vlan_used_by_others),
	cmocka_unit_test(test_untouched_stays), cmocka_unit_test(test_unmanaged_address),
	cmocka_unit_test(test_unreadable),      cmocka_unit_test(test_restarted),
};

enum { N_EDITS = sizeof(edits) / sizeof(edits[0]), N_OTHERS = sizeof(others) / sizeof(others[0]) };

int main(void)
{
	struct CMUnitTest tests[N_EDITS + N_OTHERS];
	for (size_t i = 0; i < N_EDITS; i++)
		tests[i] = (struct CMUnitTest){.name = edits[i].name,
					       .test_func = test_edit,
					       .initial_state = (void *)(uintptr_t)&edits[i]};
	memcpy(tests + N_EDITS, others, sizeof(others));
	return cmocka_run_group_tests_name("revert", tests, NULL, NULL);
}
