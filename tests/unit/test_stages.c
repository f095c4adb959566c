/* The order in which a plan is applied, and that it reaches the desired state in a model of the
 * kernel. */
#include "reconcile/plan/stages.h"

#include "tests/unit/world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const char *const stage_names[N_STAGES] = {
	[STAGE_PARENT_CREATE] = "parent", [STAGE_GIVE_UP] = "give up",
	[STAGE_DELETE] = "delete",        [STAGE_PARENT_DELETE] = "parent delete",
	[STAGE_CREATE_CHANGE] = "do",     [STAGE_PARENT_DELETE_LATE] = "late delete",
	[STAGE_PARENT_RENAME] = "rename", [STAGE_LEASE] = "lease",
};

#define VLAN(name, keys) name ": {parent: eth0, vlan: " keys ", subnet: 172.16.86.0/24}"
#define WEB              "}\ncontainers: {web: {networks: [n]}}\n"

static const struct edit {
	const char *name, *before, *after, *expected;
} edits[] = {
	{"created", "", "networks: {" VLAN("n", "10") WEB, "parent eth0.10; do web/n"},
	{"deleted", "networks: {" VLAN("n", "10") WEB, "", "delete web/n; parent delete eth0.10"},
	{"another id", "networks: {" VLAN("n", "10") WEB, "networks: {" VLAN("n", "20") WEB,
	 "parent eth0.20; delete web/n; do web/n; late delete eth0.10"},
	{"another protocol", "networks: {" VLAN("n", "10") WEB,
	 "networks: {" VLAN("n", "10, vlan_protocol: 802.1ad") WEB,
	 "parent eth0.10 temporary; delete web/n; do web/n; late delete eth0.10; "
	 "rename eth0.10 temporary"},
	{"another protocol, nothing on the new one", "networks: {" VLAN("n", "10") WEB,
	 "networks: {" VLAN("n", "10, vlan_protocol: 802.1ad") "}",
	 "delete web/n; parent delete eth0.10; do eth0.10"},
	{"another id, and a network stays",
	 "networks: {" VLAN("n", "10") ", m: {parent: eth0, vlan: 10, subnet: 10.1.0.0/24}}\n"
				       "containers: {web: {networks: [n]}, db: {networks: [m]}}",
	 "networks: {" VLAN("n", "20") ", m: {parent: eth0, vlan: 10, subnet: 10.1.0.0/24}}\n"
				       "containers: {web: {networks: [n]}, db: {networks: [m]}}",
	 "parent eth0.20; delete web/n; do web/n"},
	{"another protocol, and a VLAN inside",
	 "networks: {" VLAN("n", "10") ", m: {parent: eth0.10, vlan: 7, subnet: 10.1.0.0/24}}\n"
				       "containers: {web: {networks: [n, m]}}",
	 "networks: {" VLAN(
		 "n",
		 "20, vlan_protocol: 802.1ad") ", m: {parent: eth0.20, vlan: 7, subnet: 10.1.0.0/24}}\n"
					       "containers: {web: {networks: [n, m]}}",
	 "parent eth0.20; parent eth0.20.7; delete web/n; delete web/m; do web/n; do web/m; "
	 "late delete eth0.10.7; late delete eth0.10"},
	{"a new name of the network", "networks: {" VLAN("n", "10") WEB,
	 "networks: {" VLAN("m", "20") "}\ncontainers: {web: {networks: [m]}}",
	 "parent eth0.20; delete web/n; do web/m; late delete eth0.10"},
	{"names exchanged",
	 "networks: {n: {parent: eth0, subnet: 10.1.0.0/24}, m: {parent: eth1, subnet: 10.2.0.0/24}}\n"
	 "containers: {web: {networks: {n: {interface_name: a}, m: {interface_name: b}}}}",
	 "networks: {n: {parent: eth0, subnet: 10.1.0.0/24}, m: {parent: eth1, subnet: 10.2.0.0/24}}\n"
	 "containers: {web: {networks: {n: {interface_name: b}, m: {interface_name: a}}}}",
	 "give up web/m; give up web/n; do web/m; do web/n"},
};

enum { COUNT = sizeof(edits) / sizeof(edits[0]) };

static const char *stages_text(struct arena *arena, const struct stages *stages)
{
	const char *text = "";
	for (size_t i = 0; i < stages->count; i++) {
		const struct stage_item *item = &stages->items[i];
		const struct owner_tag *tag = item->step->tag;
		const char *id =
			tag->role == ROLE_ATTACH
				? arena_printf(arena, "%s/%s", tag->container, tag->network)
				: item->step->name;
		text = arena_printf(arena, "%s%s%s %s%s", text, i ? "; " : "",
				    stage_names[item->stage], id,
				    item->temporary ? " temporary" : "");
	}
	return text;
}

static struct stages plan_stages(const struct plan *plan, const struct live *live)
{
	const struct selection all = selection_all(plan, plan->arena);
	return stages_of(plan->arena, &all, live);
}

static void apply_until_done(struct live *live, const char *yaml, const char *expected)
{
	struct desired *desired = desired_from(yaml);
	const struct plan *plan = world_plan(live, desired);
	if (expected) {
		const struct stages stages = plan_stages(plan, live);
		assert_string_equal(stages_text(plan->arena, &stages), expected);
	}
	world_apply(live, plan);
	plan_free(plan);
	plan = world_plan(live, desired);
	assert_string_equal(plan_text(plan), "");
	plan_free(plan);
	desired_free(desired);
}

static void test_edit(void **state)
{
	const struct edit *edit = *state;
	struct live *live = world_new();
	apply_until_done(live, edit->before, NULL);
	apply_until_done(live, edit->after, edit->expected);
	world_free(live);
}

static struct live_link *link_called(struct live *live, const char *name)
{
	struct live_ns *host = live->namespaces[0];
	for (size_t i = 0; i < host->n_links; i++)
		if (strcmp(host->links[i].name, name) == 0)
			return &host->links[i];
	return NULL;
}

/* The state after an apply that was killed. */
static void test_temporary_name(void **state)
{
	(void)state;
	struct live *live = world_new();
	apply_until_done(live, edits[0].after, NULL);
	link_called(live, "eth0.10")->name = TEMPORARY_PREFIX "00000001";
	apply_until_done(live, edits[0].after, "give up eth0.10; do eth0.10");
	world_free(live);
}

/* An unmanaged link is on the old VLAN: the new one keeps its temporary name. */
static void test_name_kept(void **state)
{
	(void)state;
	struct live *live = world_new();
	apply_until_done(live, edits[0].after, NULL);
	struct live_link *other_link = world_link(world_ns(live, "ci"), "g0", KIND_MACVLAN);
	other_link->parent_where = PARENT_HOST;
	other_link->parent = link_called(live, "eth0.10")->ifindex;
	struct desired *desired = desired_from(edits[3].after);
	const struct plan *plan = world_plan(live, desired);
	const struct stages stages = plan_stages(plan, live);
	assert_string_equal(stages_text(plan->arena, &stages),
			    "parent eth0.10 temporary; delete web/n; do web/n");
	world_apply(live, plan);
	const struct live_link *web = live_link_by_name(world_ns(live, "web"), "eth0");
	const struct live_link *parent = live_link_by_index(live->namespaces[0], web->parent);
	assert_memory_equal(parent->name, TEMPORARY_PREFIX, strlen(TEMPORARY_PREFIX));
	plan_free(plan);
	desired_free(desired);
	world_free(live);
}

/* The stages of a run of the plan's first steps. */
static void expect_stages(const char *yaml, size_t n_selected, const char *expected)
{
	struct live *live = world_new();
	struct desired *desired = desired_from(yaml);
	const struct plan *plan = world_plan(live, desired);
	struct selection selection = selection_all(plan, plan->arena);
	for (size_t i = n_selected; i < plan->n_steps; i++)
		selection.selected[i] = false;
	const struct stages stages = stages_of(plan->arena, &selection, live);
	assert_string_equal(stages_text(plan->arena, &stages), expected);
	plan_free(plan);
	desired_free(desired);
	world_free(live);
}

static void test_lease(void **state)
{
	(void)state;
	expect_stages("networks: {n: {parent: eth0, subnet: 10.1.0.0/24, dhcp: true}" WEB, SIZE_MAX,
		      "do web/n; lease web/n");
}

static void test_selection(void **state)
{
	(void)state;
	expect_stages(edits[0].after, 1, "parent eth0.10");
}

int main(void)
{
	struct CMUnitTest tests[COUNT + 4] = {
		[COUNT] = cmocka_unit_test(test_temporary_name),
		[COUNT + 1] = cmocka_unit_test(test_name_kept),
		[COUNT + 2] = cmocka_unit_test(test_lease),
		[COUNT + 3] = cmocka_unit_test(test_selection),
	};
	for (size_t i = 0; i < COUNT; i++)
		tests[i] = (struct CMUnitTest){.name = edits[i].name,
					       .test_func = test_edit,
					       .initial_state = (void *)(uintptr_t)&edits[i]};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
