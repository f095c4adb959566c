/* Compose projects of several files, which are in memory here. */
#include "convert/compose_project.h"
#include "convert/compose_yaml.h"
#include "schema/source_text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

struct file {
	const char *path, *text;
};

static bool read_file(void *data, const char *path, struct input *ret, const char **ret_problem)
{
	for (const struct file *file = data; file->path; file++)
		if (strcmp(file->path, path) == 0) {
			*ret = (struct input){path, file->text, strlen(file->text)};
			return true;
		}
	*ret_problem = NULL;
	return false;
}

/* Reads the first files, up to one whose path has a slash, as those that are named. */
static int project_read(const struct file *files, struct arena *arena, struct compose_project *ret,
			struct error *error)
{
	struct input inputs[4];
	size_t count = 0;
	for (; files[count].path && !strchr(files[count].path, '/'); count++)
		inputs[count] = (struct input){files[count].path, files[count].text,
					       strlen(files[count].text)};
	json_t *environment = json_pack("{s:s}", "OUTER", "outer");
	const struct compose_source source = {.inputs = inputs,
					      .n_inputs = count,
					      .directory = "p",
					      .project = "shop",
					      .environment = environment,
					      .read = read_file,
					      .data = (void *)(uintptr_t)files};
	const int status = compose_project_read(&source, arena, ret, error);
	json_decref(environment);
	return status;
}

/* What the files are together, as JSON with single quotes; then the notes, a line each. */
static void assert_project(const struct file *files, const char *expected, const char *notes)
{
	struct arena *arena = arena_new();
	struct compose_project project;
	struct error error;
	if (project_read(files, arena, &project, &error) < 0)
		fail_msg("%s", error.text);
	char *text = json_dumps(project.root, JSON_COMPACT);
	for (char *at = text; *at; at++)
		*at = *at == '"' ? '\'' : *at;
	assert_string_equal(text, expected);
	const char *noted = "";
	for (size_t i = 0; i < project.n_notes; i++)
		noted = arena_printf(arena, "%s%s\n", noted, project.notes[i]);
	assert_string_equal(noted, notes);
	free(text);
	json_decref(project.root);
	json_decref(project.profiles);
	arena_free(arena);
}

static void test_yaml(void **state)
{
	(void)state;
	assert_project(
		(const struct file[]){{"a",
				       "x-a: &a {driver: macvlan, internal: true}\n"
				       "x-b: &b {driver: ipvlan, attachable: true}\n"
				       "networks:\n"
				       "  one: {<<: *a, internal: false}\n"
				       "  two: {<<: [*a, *b], x-y: 1}\n"
				       "  three: {<<: {driver: d}, name: !!str null, labels: ~}\n"},
				      {0}},
		"{'networks':{'one':{'internal':'false','driver':'macvlan'},'two':{'driver':"
		"'macvlan','internal':'true','attachable':'true'},'three':{'name':'null','labels':"
		"null,'driver':'d'}}}",
		"");
}

static void test_merge(void **state)
{
	(void)state;
	assert_project(
		(const struct file[]){
			{"a", "services: {w: {networks: [x, y], ports: [1], image: i}, v: "
			      "{networks: [x], mac_address: m}}\n"
			      "networks: {x: {driver: d, ipam: {config: [{subnet: a, gateway: "
			      "g}, {subnet: b}]}}, y: {ipam: {config: [{subnet: c}]}}}\n"},
			{"b", "services: {w: {networks: {y: {priority: 5}, z: null}, ports: "
			      "[2]}, v: {networks: !override [q], mac_address: !reset null}}\n"
			      "networks: {x: {ipam: {config: [{subnet: a, gateway: h}]}}, y: "
			      "{ipam: {config: [{subnet: e}]}}}\n"},
			{0}},
		"{'services':{'w':{'networks':{'x':null,'y':{'priority':'5'},'z':null},"
		"'ports':['1','2']},'v':{'networks':['q']}},'networks':{'x':{'driver':'d',"
		"'ipam':{'config':[{'subnet':'a','gateway':'h'},{'subnet':'b'}]}},'y':{"
		"'ipam':{'config':[{'subnet':'e'}]}}}}",
		"");
	assert_project((const struct file[]){{"a", "services: {w: {scale: 2}}\n---\nservices: {w: "
						   "{scale: 3}}\n"},
					     {0}},
		       "{'services':{'w':{'scale':'3'}}}", "");
	assert_project((const struct file[]){{"a", "services: !reset {}\nnetworks: !override {a: "
						   "!reset {}, b: {labels: [!reset 1]}}\n"},
					     {0}},
		       "{'networks':{'b':{'labels':[null]}}}", "");
}

static void test_variables(void **state)
{
	(void)state;
	assert_project(
		(const struct file[]){{"a", "networks: {x: {driver: '$A$OUTER${B:-b}', name: "
					    "$COMPOSE_PROJECT_NAME}}\n"
					    "services: {w: {image: $X, networks: [$Y]}}\n"},
				      {"p/.env", "A=1\nOUTER=2\n"},
				      {0}},
		"{'networks':{'x':{'driver':'1outerb','name':'shop'}},'services':{'w':{"
		"'networks':['']}}}",
		"services.w.networks: the variable Y is not set, and Compose takes an empty "
		"text\n");
}

static void test_extends(void **state)
{
	(void)state;
	assert_project(
		(const struct file[]){
			{"a", "services:\n"
			      "  c: {extends: b, mac_address: m}\n"
			      "  b: {extends: {service: a, file: sub/f}, networks: [y]}\n"
			      "  d: {extends: {service: none}}\n"
			      "  e: {extends: f}\n"
			      "  f: {extends: e}\n"
			      "  g: {extends: {file: gone, service: a}}\n"},
			{"p/sub/f", "services: {a: {extends: {file: ../g, service: z}, networks: "
				    "{x: {ipv4_address: $OUTER}}}}\n"},
			{"p/sub/../g", "services: {z: {networks: [z], scale: 2}}\n"},
			{0}},
		"{'services':{'c':{'networks':{'z':null,'x':{'ipv4_address':'outer'},'y':null},"
		"'scale':'2','mac_address':'m'},'b':{'networks':{'z':null,'x':{'ipv4_address':"
		"'outer'},'y':null},'scale':'2'},'d':{'extends':{'service':'none'}},'e':{'extends':"
		"'f'},'f':{'extends':'e'},'g':{'extends':{'file':'gone','service':'a'}}}}",
		"services.d.extends: there is no service none to extend\n"
		"services.f.extends: services extend one another in a circle, or too deep\n"
		"services.e.extends: services extend one another in a circle, or too deep\n"
		"services.g.extends: p/gone is not read: there is no such file\n"
		"services.g.extends: there is no service a to extend\n");
}

static void test_include(void **state)
{
	(void)state;
	assert_project(
		(const struct file[]){
			{"a", "include:\n"
			      "  - sub/b\n"
			      "  - {path: [sub/c, sub/d], env_file: e, project_directory: q}\n"
			      "  - https://example.org/x.git\n"
			      "networks: {x: {driver: mine}}\n"},
			{"p/sub/b", "networks: {x: {driver: theirs, internal: $A}}\n"
				    "include: [b, ../c2]\n"},
			{"p/sub/.env", "A=fromsub\n"},
			{"p/sub/../c2", "networks: {c2: {driver: $A}}\n"},
			{"p/sub/c", "networks: {c: {driver: $A}}\n"},
			{"p/sub/d", "networks: {c: {internal: true}}\n"},
			{"p/e", "A=frome\n"},
			{0}},
		"{'networks':{'x':{'driver':'mine','internal':'fromsub'},'c2':{'driver':'fromsub'},"
		"'c':{'driver':'frome','internal':'true'}},'services':{}}",
		"include: p/sub/b is not read: files include one another in a circle, or too deep\n"
		"include: https://example.org/x.git is not read: it is not a local file\n");
}

/* A file that is refused has its place in the message. */
static void test_refused(void **state)
{
	static const struct {
		const char *text, *error;
	} rows[] = {
		{"a: &a [*a]", "a:1:8: the alias has no anchor before it, or is within its own"},
		{"a: [", "a:2:1: did not find expected node content"},
		{"[a]: b", "a:1:1: a key is not a text"},
		{"a: 1\nb: 2\na: 3", "a:3:1: duplicate key in this map"},
		{"a: {<<: 5}", "a:1:5: the merge key `<<` takes a map or a list of maps"},
		{"a: \"\\0\"", "a:1:4: the text contains a NUL character"},
		{"- a", "a is not a Compose file: its top level is not a map"},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct arena *arena = arena_new();
		struct compose_project project;
		struct error error;
		assert_int_equal(project_read((const struct file[]){{"a", rows[i].text}, {0}},
					      arena, &project, &error),
				 -22);
		assert_string_equal(error.text, rows[i].error);
		arena_free(arena);
	}
}

/* What grows with each level, by anchors or by services, is refused before it is large. */
static void test_bombs(void **state)
{
	(void)state;
	struct arena *arena = arena_new();
	struct compose_project project;
	struct error error;
	const char *bomb = "a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n";
	for (unsigned i = 1; i < 30; i++)
		bomb = arena_printf(arena, "%sa%u: &a%u [*a%u,*a%u,*a%u,*a%u,*a%u]\n", bomb, i, i,
				    i - 1, i - 1, i - 1, i - 1, i - 1);
	assert_int_equal(
		project_read((const struct file[]){{"a", bomb}, {0}}, arena, &project, &error),
		-22);
	assert_non_null(strstr(error.text, "more than 100000 values"));
	const char *deep = "a0: &a0 [x]\n";
	for (unsigned i = 1; i < 300; i++)
		deep = arena_printf(arena, "%sa%u: &a%u [*a%u]\n", deep, i, i, i - 1);
	assert_int_equal(
		project_read((const struct file[]){{"a", deep}, {0}}, arena, &project, &error),
		-22);
	assert_non_null(strstr(error.text, "deeper than 100 levels"));
	const char *services = "services:\n  b: {networks: {x: {aliases: [";
	for (unsigned i = 0; i < 2000; i++)
		services = arena_printf(arena, "%sn,", services);
	services = arena_printf(arena, "%s]}}}\n", services);
	for (unsigned i = 0; i < 200; i++)
		services = arena_printf(arena, "%s  s%u: {extends: b}\n", services, i);
	assert_int_equal(
		project_read((const struct file[]){{"a", services}, {0}}, arena, &project, &error),
		0);
	assert_true(compose_nodes(project.root) < 200000);
	assert_non_null(strstr(project.notes[0], "too many values"));
	json_decref(project.root);
	json_decref(project.profiles);
	arena_free(arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_yaml),      cmocka_unit_test(test_merge),
		cmocka_unit_test(test_variables), cmocka_unit_test(test_extends),
		cmocka_unit_test(test_include),   cmocka_unit_test(test_refused),
		cmocka_unit_test(test_bombs),
	};
	return cmocka_run_group_tests_name("compose projects", tests, NULL, NULL);
}
