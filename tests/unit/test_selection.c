/* The steps of a plan that a run applies, as a value beside the plan. */
#include "reconcile/plan/selection.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct owner_tag attachment = {
	.role = ROLE_ATTACH, .set = "default", .network = "lan", .container = "web"};
static const struct owner_tag vlan = {.role = ROLE_VLAN, .set = "default", .network = ""};

/* The host with eth0.10 on eth0, and web's eth0 on eth0.10. */
struct scene {
	struct arena *arena;
	struct live_link host_links[2], web_links[1];
	struct live_ns host, web, *namespaces[2];
	struct live live;
	struct link_spec specs[4];
	struct step steps[4];
	struct plan plan;
};

static void scene_make(struct scene *scene)
{
	*scene = (struct scene){.arena = arena_new()};
	scene->host_links[0] =
		(struct live_link){.ifindex = 2, .name = "eth0", .alias = "", .kind_name = ""};
	scene->host_links[1] = (struct live_link){.ifindex = 3,
						  .name = "eth0.10",
						  .alias = "",
						  .kind_name = "vlan",
						  .parent_where = PARENT_HOST,
						  .parent = 2};
	scene->web_links[0] = (struct live_link){.ifindex = 7,
						 .name = "eth0",
						 .alias = "",
						 .kind_name = "macvlan",
						 .parent_where = PARENT_HOST,
						 .parent = 3};
	scene->host = (struct live_ns){
		.name = "the host", .host = true, .links = scene->host_links, .n_links = 2};
	scene->web = (struct live_ns){.name = "web", .links = scene->web_links, .n_links = 1};
	scene->namespaces[0] = &scene->host;
	scene->namespaces[1] = &scene->web;
	scene->live = (struct live){.namespaces = scene->namespaces, .n_namespaces = 2};
	scene->plan = (struct plan){.arena = scene->arena, .steps = scene->steps};
}

static struct step *step_put(struct scene *scene, enum action action, const struct owner_tag *tag,
			     const struct live_link *current, const char *parent)
{
	struct step *step = &scene->steps[scene->plan.n_steps];
	struct link_spec *spec = &scene->specs[scene->plan.n_steps++];
	*spec = (struct link_spec){.name = tag->role == ROLE_VLAN ? "eth0.20" : "eth1",
				   .parent_name = parent};
	*step = (struct step){.action = action,
			      .tag = tag,
			      .ns = &scene->web,
			      .current = current,
			      .desired = action == ACTION_DELETE ? NULL : spec};
	return step;
}

static struct selection without(struct scene *scene, size_t step)
{
	struct selection selection = selection_all(&scene->plan, scene->arena);
	selection.selected[step] = false;
	return selection_defer(&selection, &scene->live, scene->arena);
}

static void test_all(void **state)
{
	struct scene scene;
	(void)state;
	for (int action = ACTION_CREATE; action <= ACTION_REFUSED; action++) {
		scene_make(&scene);
		step_put(&scene, (enum action)action, &attachment, &scene.web_links[0], NULL);
		const struct selection all = selection_all(&scene.plan, scene.arena);
		const struct selection none = selection_none(&scene.plan, scene.arena);
		assert_int_equal(selection_has(&all, &scene.steps[0]), action <= ACTION_DELETE);
		assert_int_equal(selection_count(&all), action <= ACTION_DELETE);
		assert_int_equal(selection_count(&none), 0);
		arena_free(scene.arena);
	}
}

static void test_copy(void **state)
{
	struct scene scene;
	(void)state;
	scene_make(&scene);
	step_put(&scene, ACTION_CREATE, &attachment, NULL, NULL);
	const struct selection all = selection_all(&scene.plan, scene.arena);
	struct selection copy = selection_copy(&all, scene.arena);
	assert_true(selection_chooses(&copy));
	copy.selected[0] = false;
	assert_false(selection_chooses(&copy));
	assert_true(selection_has(&all, &scene.steps[0]));
	arena_free(scene.arena);
}

static void test_new_parent(void **state)
{
	struct scene scene;
	(void)state;
	scene_make(&scene);
	step_put(&scene, ACTION_CREATE, &vlan, NULL, "eth0");
	step_put(&scene, ACTION_CREATE, &attachment, NULL, "eth0.20");
	step_put(&scene, ACTION_CREATE, &attachment, NULL, "eth0.30");
	const struct selection left = without(&scene, 0);
	assert_null(left.why[0]);
	assert_string_equal(left.why[1], "its parent eth0.20 does not exist");
	assert_int_equal(selection_count(&left), 1);
	assert_true(selection_has(&left, &scene.steps[2]));
	arena_free(scene.arena);
}

static void test_replaced(void **state)
{
	struct scene scene;
	(void)state;
	scene_make(&scene);
	step_put(&scene, ACTION_DELETE, &attachment, &scene.web_links[0], NULL)->replaced_by = 2;
	step_put(&scene, ACTION_CREATE, &attachment, NULL, NULL);
	const struct selection left = without(&scene, 1);
	assert_int_equal(selection_count(&left), 0);
	assert_string_equal(left.why[0], "its replacement web/lan does not exist");
	arena_free(scene.arena);
}

/* The parent is kept for the link on it, and deleted with it. */
static void test_parent_in_use(void **state)
{
	struct scene scene;
	(void)state;
	scene_make(&scene);
	step_put(&scene, ACTION_DELETE, &attachment, &scene.web_links[0], NULL);
	step_put(&scene, ACTION_DELETE, &vlan, &scene.host_links[1], NULL);
	const struct selection all = selection_all(&scene.plan, scene.arena);
	const struct selection both = selection_defer(&all, &scene.live, scene.arena);
	assert_int_equal(selection_count(&both), 2);
	const struct selection left = without(&scene, 0);
	assert_int_equal(selection_count(&left), 0);
	assert_string_equal(left.why[1], "used by eth0 in web");
	assert_int_equal(selection_count(&all), 2);
	arena_free(scene.arena);
}

/* One container's steps, and the parents that they need, and those of these. */
static void test_of_containers(void **state)
{
	static const struct owner_tag inner = {.role = ROLE_VLAN, .set = "default", .network = ""};
	const struct container web = {.name = "web"}, db = {.name = "db"};
	struct scene scene;
	(void)state;
	scene_make(&scene);
	step_put(&scene, ACTION_CREATE, &vlan, NULL, "eth0");
	step_put(&scene, ACTION_CREATE, &inner, NULL, "eth0.20");
	step_put(&scene, ACTION_CREATE, &attachment, NULL, "inner")->container = &web;
	step_put(&scene, ACTION_CREATE, &attachment, NULL, "eth0.20")->container = &db;
	scene.specs[1].name = "inner";
	const struct {
		const struct container *container;
		bool selected[4];
	} rows[] = {{&web, {true, true, true, false}},
		    {&db, {true, false, false, true}},
		    {NULL, {false, false, false, false}}};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct container *item = rows[i].container;
		const struct containers containers = {.items = &item, .count = item ? 1 : 0};
		const struct selection some =
			selection_of_containers(&scene.plan, &containers, scene.arena);
		for (size_t k = 0; k < 4; k++)
			assert_int_equal(some.selected[k], rows[i].selected[k]);
	}
	arena_free(scene.arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_all),           cmocka_unit_test(test_copy),
		cmocka_unit_test(test_new_parent),    cmocka_unit_test(test_replaced),
		cmocka_unit_test(test_parent_in_use), cmocka_unit_test(test_of_containers),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
