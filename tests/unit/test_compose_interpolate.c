/* Variables in Compose files; what compose-go makes of the same texts. */
#include "convert/compose_env.h"
#include "convert/compose_interpolate.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/* The last problem, or "". */
static char noted[300];

static void tell(void *data, const char *place, const char *text)
{
	(void)data;
	snprintf(noted, sizeof(noted), "%s: %s", place, text);
}

static struct interpolation with(struct arena *arena, const json_t *variables)
{
	*noted = '\0';
	return (struct interpolation){
		.arena = arena, .variables = variables, .problem = tell, .budget = 100000};
}

static void test_forms(void **state)
{
	static const struct {
		const char *text, *expanded, *problem;
	} rows[] = {
		{"plain", "plain", ""},
		{"$A", "one", ""},
		{"${A}", "one", ""},
		{"x${A}y$A-z", "xoneyone-z", ""},
		{"$$A", "$A", ""},
		{"$${A}", "${A}", ""},
		{"cost: $5 and $", "cost: $5 and $", ""},
		{"${A:-d}${B-d}${E:-d}${E-d}", "onedd", ""},
		{"${B:-}", "", ""},
		{"${A:+x}${B:+x}${E:+x}${E+x}", "xx", ""},
		{"${B:-${A}}", "one", ""},
		{"${B:-${C:-${A:+deep}}}", "deep", ""},
		{"${B:-{\"a\": 1}}", "{\"a\": 1}", ""},
		{"${B:-a:b-c}", "a:b-c", ""},
		{"${A:?must}", "one", ""},
		{"${E?must}", "", ""},
		{"${E:?must}", "${E:?must}", "k: the variable E is required, and not set: must"},
		{"${B?}", "${B?}", "k: the variable B is required, and not set"},
		{"$B.", ".", "k: the variable B is not set, and Compose takes an empty text"},
		{"${}", "${}", "k: ${} is not a valid template of Compose"},
		{"${A", "${A", "k: ${A is not a valid template of Compose"},
		{"${A.b}", "${A.b}", "k: ${A.b} is not a valid template of Compose"},
		{"${A:}", "${A:}", "k: ${A:} is not a valid template of Compose"},
		{"${A!x}", "${A!x}", "k: ${A!x} is not a valid template of Compose"},
	};
	(void)state;
	json_t *variables = json_pack("{s:s, s:s}", "A", "one", "E", "");
	struct arena *arena = arena_new();
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct interpolation by = with(arena, variables);
		assert_string_equal(interpolate_text(&by, "k", rows[i].text), rows[i].expanded);
		assert_string_equal(noted, rows[i].problem);
	}
	arena_free(arena);
	json_decref(variables);
}

/* Neither depth nor growth can be made up by a file. */
static void test_bounds(void **state)
{
	(void)state;
	struct arena *arena = arena_new();
	json_t *variables = json_pack("{s:s}", "A", "0123456789");
	char *deep = arena_strdup(arena, "");
	for (unsigned i = 0; i < 1000; i++)
		deep = arena_printf(arena, "${B:-%s}", deep);
	struct interpolation by = with(arena, variables);
	assert_string_equal(interpolate_text(&by, "k", deep), deep);
	assert_non_null(strstr(noted, "not a valid template"));
	char *wide = arena_alloc(arena, 40001);
	for (unsigned i = 0; i < 20000; i++)
		memcpy(wide + (size_t)2 * i, "$A", 2);
	wide[40000] = '\0';
	assert_ptr_equal(interpolate_text(&by, "k", wide), wide);
	arena_free(arena);
	json_decref(variables);
}

static void test_values(void **state)
{
	(void)state;
	struct arena *arena = arena_new();
	json_t *variables = json_pack("{s:s}", "A", "one");
	struct interpolation by = with(arena, variables);
	json_t *json = json_pack("{s:[s,{s:s}], s:n}", "list", "$A", "$A", "${A}2", "none");
	json_t *expected = json_pack("{s:[s,{s:s}], s:n}", "list", "one", "$A", "one2", "none");
	interpolate_json(&by, "networks", json);
	assert_true(json_equal(json, expected));
	json_t *unset = json_pack("{s:{s:[s]}}", "lan", "list", "$B");
	interpolate_json(&by, "networks", unset);
	assert_string_equal(noted,
			    "networks.lan.list: the variable B is not set, and Compose takes "
			    "an empty text");
	json_decref(unset);
	json_decref(json);
	json_decref(expected);
	json_decref(variables);
	arena_free(arena);
}

static void test_env_files(void **state)
{
	static const char text[] = "# a comment\n"
				   "PLAIN=one two # not this\n"
				   "export EXPORTED = three\n"
				   "YAML: four\n"
				   "HASH=a#b\n"
				   "SINGLE='$PLAIN \\n it\\'s' # comment\n"
				   "DOUBLE=\"<$PLAIN>\\t\\\"q\\\" \\$PLAIN \\0061\\\\\"\n"
				   "LINES=\"a\n"
				   "b\"\n"
				   "OUTER=mine\n"
				   "USES=${OUTER}/${NONE:-none}\n"
				   "INHERITED\n"
				   "EMPTY=\n"
				   "TWICE=1\n"
				   "TWICE=2";
	static const char *const expected[][2] = {
		{"PLAIN", "one two"},
		{"EXPORTED", "three"},
		{"YAML", "four"},
		{"HASH", "a#b"},
		{"SINGLE", "$PLAIN \\n it's"},
		{"DOUBLE", "<one two>\t\"q\" $PLAIN 1\\"},
		{"LINES", "a\nb"},
		{"OUTER", "theirs"},
		{"USES", "theirs/none"},
		{"EMPTY", ""},
		{"TWICE", "2"},
	};
	(void)state;
	struct arena *arena = arena_new();
	json_t *environment = json_pack("{s:s}", "OUTER", "theirs");
	json_t *variables = json_copy(environment);
	struct interpolation by = with(arena, variables);
	env_file_read(&by, ".env", text, environment, variables);
	for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++) {
		const json_t *value = json_object_get(variables, expected[i][0]);
		assert_non_null(value);
		assert_string_equal(json_string_value(value), expected[i][1]);
	}
	assert_int_equal(json_object_size(variables), 11);
	assert_string_equal(noted, "");
	for (const char *const *bad = (const char *const[]){"A B=1\n", "=1\n", "A=\"open\n", NULL};
	     *bad; bad++) {
		env_file_read(&by, ".env", *bad, environment, variables);
		assert_non_null(strstr(noted, ".env: cannot be read from"));
		*noted = '\0';
	}
	json_decref(environment);
	json_decref(variables);
	arena_free(arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_forms),
		cmocka_unit_test(test_bounds),
		cmocka_unit_test(test_values),
		cmocka_unit_test(test_env_files),
	};
	return cmocka_run_group_tests_name("compose variables", tests, NULL, NULL);
}
