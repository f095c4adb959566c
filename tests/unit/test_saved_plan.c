/* Saved plans, on values alone: a written plan is read back, and changes are reported. */
#include "tests/unit/world.h"

#include "convert/saved_plan.h"
#include "lib/wrap.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define YAML                                                                                       \
	"networks: {lan: {parent: eth0, subnet: 172.16.86.0/24}}\n"                                \
	"containers: {web: {networks: [lan]}, db: {networks: [lan]}}\n"

struct scene {
	struct arena *arena;
	struct desired *desired;
	struct live *live;
};

static void scene_open_of(struct scene *scene, const char *yaml)
{
	scene->arena = arena_new();
	scene->desired = desired_from(yaml);
	scene->live = world_new();
	world_containers(scene->live, scene->desired);
}

static void scene_open(struct scene *scene)
{
	scene_open_of(scene, YAML);
}

static void scene_converge(struct scene *scene)
{
	const struct plan *plan = plan_make(scene->desired, scene->live, &plan_options_default);
	world_apply(scene->live, plan);
	plan_free(plan);
}

static void scene_close(struct scene *scene)
{
	world_free(scene->live);
	desired_free(scene->desired);
	arena_free(scene->arena);
}

static struct fingerprint print_of(const struct scene *scene, const char *boot)
{
	const struct plan *plan = plan_make(scene->desired, scene->live, &plan_options_default);
	struct fingerprint print =
		fingerprint_make(scene->desired, scene->live, plan, boot, scene->arena);
	plan_free(plan);
	return print;
}

static char *joined(const struct scene *scene, const char *const *lines, size_t count)
{
	char *text = arena_strdup(scene->arena, "");
	for (size_t i = 0; i < count; i++)
		text = arena_printf(scene->arena, "%s%s\n", text, lines[i]);
	return text;
}

static void test_fingerprint(void **state)
{
	struct scene scene;
	(void)state;
	scene_open(&scene);
	world_ns(scene.live, "web")->cookie = 77;
	const struct fingerprint print = print_of(&scene, "b00t");
	assert_string_equal(joined(&scene, print.lines, print.n_lines),
			    "boot b00t\n"
			    "link eth0 in the host: ifindex 2, device, 52:54:00:00:01:01, mtu "
			    "1500\n"
			    "namespace db: inode 0:3, cookie 0\n"
			    "namespace the host: inode 0:1, cookie 0\n"
			    "namespace web: inode 0:2, cookie 77\n");
	scene_close(&scene);
}

/* The live links of the sets, and their parents up to the lowest device. */
static void test_fingerprint_of_links(void **state)
{
	struct scene scene;
	(void)state;
	scene_open_of(&scene, "networks: {lan: {parent: eth0, vlan: 10, subnet: 172.16.86.0/24}}\n"
			      "containers: {web: {networks: [lan]}}\n");
	scene_converge(&scene);
	const struct fingerprint print = print_of(&scene, "b00t");
	assert_string_equal(joined(&scene, print.lines, print.n_lines),
			    "boot b00t\n"
			    "link eth0 in the host: ifindex 2, device, 52:54:00:00:01:01, mtu "
			    "1500\n"
			    "link eth0 in web: ifindex 2, macvlan, 02:42:ac:10:56:02, mtu 1500, "
			    "mvapply:attach:default/lan/web\n"
			    "link eth0.10 in the host: ifindex 4, vlan, 52:54:00:00:01:01, mtu "
			    "1500, mvapply:vlan:default\n"
			    "namespace the host: inode 0:1, cookie 0\n"
			    "namespace web: inode 0:2, cookie 0\n");
	scene_close(&scene);
}

/* Its container is not one of the file's any more. */
static void test_fingerprint_of_deletions(void **state)
{
	struct scene scene;
	(void)state;
	scene_open(&scene);
	scene_converge(&scene);
	struct desired *before = scene.desired;
	scene.desired = desired_from("networks: {lan: {parent: eth0, subnet: 172.16.86.0/24}}\n"
				     "containers: {db: {networks: [lan]}}\n");
	world_containers(scene.live, scene.desired);
	const struct fingerprint print = print_of(&scene, "");
	const char *text = joined(&scene, print.lines, print.n_lines);
	assert_non_null(strstr(text, "link eth0 in web: ifindex 2, macvlan, "));
	assert_non_null(strstr(text, "namespace web: inode 0:2, cookie 0\n"));
	desired_free(before);
	scene_close(&scene);
}

/* It has no owner tag yet, and is in the container. */
static void test_fingerprint_of_adoptions(void **state)
{
	struct scene scene;
	(void)state;
	scene_open(&scene);
	struct live_link *link = world_link(world_ns(scene.live, "web"), "eth0", KIND_MACVLAN);
	link->parent_where = PARENT_HOST;
	link->parent = 2;
	const struct plan *plan =
		plan_make(scene.desired, scene.live, &(struct plan_options){.adopt = true});
	const struct fingerprint print =
		fingerprint_make(scene.desired, scene.live, plan, "", scene.arena);
	plan_free(plan);
	assert_non_null(
		strstr(joined(&scene, print.lines, print.n_lines),
		       "link eth0 in web: ifindex 2, macvlan, 52:54:00:00:02:01, mtu 1500\n"));
	scene_close(&scene);
}

/* Bytes that are not UTF-8, in the name of an unmanaged link. */
static void test_fingerprint_bytes(void **state)
{
	struct scene scene;
	(void)state;
	scene_open(&scene);
	world_ns(scene.live, "web")->name = "w\x1b[2J\xff";
	const struct fingerprint print = print_of(&scene, "");
	assert_non_null(strstr(joined(&scene, print.lines, print.n_lines), "namespace w?[2J?:"));
	scene_close(&scene);
}

static void move_parent(struct live *live)
{
	live->namespaces[0]->links[0].ifindex = 9;
}

static void move_mac(struct live *live)
{
	live->namespaces[0]->links[0].mac.bytes[5] ^= 1;
}

static void move_namespace(struct live *live)
{
	world_ns(live, "db")->inode = 99;
}

static void move_cookie(struct live *live)
{
	world_ns(live, "db")->cookie = 99;
}

static void move_nothing(struct live *live)
{
	world_link(live->namespaces[0], "veth7", KIND_OTHER);
	world_link(world_ns(live, "ci"), "eth0", KIND_OTHER);
}

static const struct {
	void (*move)(struct live *);
	const char *reported;
} moves[] = {
	{move_nothing, ""},
	{move_mac, "is: link eth0 in the host: ifindex 2, device, 52:54:00:00:01:00, mtu 1500\n"
		   "was: link eth0 in the host: ifindex 2, device, 52:54:00:00:01:01, mtu 1500\n"},
	{move_namespace, "was: namespace db: inode 0:3, cookie 0\n"
			 "is: namespace db: inode 0:99, cookie 0\n"},
	{move_cookie, "was: namespace db: inode 0:3, cookie 0\n"
		      "is: namespace db: inode 0:3, cookie 99\n"},
	{move_parent, "was: link eth0 in the host: ifindex 2, device, 52:54:00:00:01:01, mtu "
		      "1500\n"
		      "is: link eth0 in the host: ifindex 9, device, 52:54:00:00:01:01, mtu "
		      "1500\n"},
};

static void test_compare(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(moves) / sizeof(moves[0]); i++) {
		struct scene scene;
		const char **changes;
		scene_open(&scene);
		json_t *steps = json_array();
		const struct saved_plan saved = {.live = print_of(&scene, ""), .steps = steps};
		moves[i].move(scene.live);
		const struct fingerprint now = print_of(&scene, "");
		size_t count = saved_plan_compare(&saved, &now, steps, scene.arena, &changes);
		assert_string_equal(joined(&scene, changes, count), moves[i].reported);
		json_decref(steps);
		scene_close(&scene);
	}
}

static void test_compare_steps(void **state)
{
	struct scene scene;
	const char **changes;
	(void)state;
	scene_open(&scene);
	json_t *steps = json_pack("[{s:s}]", "action", "create");
	json_t *others = json_pack("[{s:s}]", "action", "delete");
	const struct saved_plan saved = {.live = print_of(&scene, ""), .steps = steps};
	assert_int_equal(saved_plan_compare(&saved, &saved.live, others, scene.arena, &changes), 1);
	assert_non_null(strstr(changes[0], "the plan has changed"));
	json_decref(steps);
	json_decref(others);
	scene_close(&scene);
}

static void test_round_trip(void **state)
{
	struct scene scene;
	struct saved_plan again;
	struct diags diags;
	const char **changes;
	(void)state;
	scene_open(&scene);
	diags_init(&diags);
	struct input input = {.file = "a.yaml", .bytes = YAML, .size = strlen(YAML)};
	const struct saved_plan saved = {.host = "h1",
					 .options = plan_options_default,
					 .inputs = &input,
					 .n_inputs = 1,
					 .live = print_of(&scene, "b"),
					 .steps = json_pack("[{s:s}]", "action", "create")};
	json_t *document = saved_plan_encode(&saved);
	char *text = json_dumps(document, 0);
	const struct input file = {.file = "p.json", .bytes = text, .size = strlen(text)};
	assert_int_equal(saved_plan_decode(&file, scene.arena, &again, &diags), 0);
	assert_string_equal(again.host, "h1");
	assert_int_equal(again.options.max_delete.limit, 50);
	assert_true(again.options.max_delete.percent);
	assert_int_equal(again.options.max_delete.from, 10);
	assert_int_equal(again.n_inputs, 1);
	assert_string_equal(again.inputs[0].file, "a.yaml");
	assert_int_equal(again.inputs[0].size, strlen(YAML));
	assert_memory_equal(again.inputs[0].bytes, YAML, strlen(YAML));
	assert_int_equal(
		saved_plan_compare(&again, &saved.live, saved.steps, scene.arena, &changes), 0);
	saved_plan_free(&again);
	free(text);
	json_decref(document);
	diags_free(&diags);
	scene_close(&scene);
}

static void decode_bad(const char *text, const char *words)
{
	struct arena *arena = arena_new();
	struct saved_plan saved;
	struct diags diags;
	const struct input file = {.file = "p.json", .bytes = text, .size = strlen(text)};
	diags_init(&diags);
	assert_int_equal(saved_plan_decode(&file, arena, &saved, &diags), -1);
	assert_int_equal(diags.count, 1);
	assert_int_equal(diags.items[0].code, CODE_SAVED_PLAN);
	const char *reported = diag_format(arena, &diags.items[0], WRAP_NEVER);
	if (!strstr(reported, words))
		fail_msg("no \"%s\" in: %s", words, reported);
	diags_free(&diags);
	arena_free(arena);
}

#define OPTIONS(limit, percent, from)                                                              \
	"'options': {'adopt': false, 'max_delete': " limit ", 'max_delete_percent': " percent      \
	", 'max_delete_from': " from "}"
#define GOOD_OPTIONS OPTIONS("50", "true", "10")

/* With ' for ". */
static void test_decode_bad(void **state)
{
	static const char *const rows[][2] = {
		{"", "p.json:1:"},
		{"{'mvapply_plan': 1", "p.json:1:"},
		{"[]", "object"},
		{"{}", "mvapply_plan"},
		{"{'mvapply_plan': 3}", "format 3, not 1"},
		{"{'mvapply_plan': 1, 'mvapply_plan': 1}", "duplicate"},
		{"{'mvapply_plan': 1, 'host': 'h', " OPTIONS(
			 "101", "true",
			 "10") ", 'input': [{'file': 'a', 'text': ''}], 'live': [], 'steps': []}",
		 "its options are out of range"},
		{"{'mvapply_plan': 1, 'host': 'h', " OPTIONS(
			 "-1", "false",
			 "10") ", 'input': [{'file': 'a', 'text': ''}], 'live': [], 'steps': []}",
		 "its options are out of range"},
		{"{'mvapply_plan': 1, 'host': 'h', " OPTIONS(
			 "5", "false",
			 "-1") ", 'input': [{'file': 'a', 'text': ''}], 'live': [], 'steps': []}",
		 "its options are out of range"},
		{"{'mvapply_plan': 1, 'host': 'h', " GOOD_OPTIONS
		 ", 'input': [{'file': 'a', 'text': 7}], 'live': [], 'steps': []}",
		 "its input is not a list"},
		{"{'mvapply_plan': 1, 'host': 'h', " GOOD_OPTIONS
		 ", 'input': [{'file': 'a', 'text': ''}], 'live': ['a\\u0007'], 'steps': []}",
		 "not lists"},
		{"{'mvapply_plan': 1, 'host': 'h', " GOOD_OPTIONS
		 ", 'input': [{'file': 'a', 'text': ''}], 'live': [], 'steps': 'x'}",
		 "not lists"},
		{"{'mvapply_plan': 1, 'host': 'h', " GOOD_OPTIONS
		 ", 'input': [{'file': 'a', 'text': ''}], 'live': [], 'steps': [], 'x': 1}",
		 "x"},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char text[1024];
		snprintf(text, sizeof(text), "%s", rows[i][0]);
		for (char *byte = text; *byte; byte++)
			if (*byte == '\'')
				*byte = '"';
		decode_bad(text, rows[i][1]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fingerprint),
		cmocka_unit_test(test_fingerprint_bytes),
		cmocka_unit_test(test_fingerprint_of_links),
		cmocka_unit_test(test_fingerprint_of_deletions),
		cmocka_unit_test(test_fingerprint_of_adoptions),
		cmocka_unit_test(test_compare),
		cmocka_unit_test(test_compare_steps),
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_decode_bad),
	};
	return cmocka_run_group_tests_name("saved plan", tests, NULL, NULL);
}
