/* The files of tests/input: invalid ones give exactly the findings beside them, valid ones load. */
#include "schema/files.h"
#include "schema/load.h"

#include <glob.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* As wide as the lines of the files *.expect. */
#define COLUMNS 100

static const struct trust anybody = {.everybody = true};

/* Reads a file into the arena; messages show the last part of its name. */
static struct input read_input(struct arena *arena, const char *path)
{
	struct input *inputs = NULL;
	struct diags diags;
	size_t count = 0;
	diags_init(&diags);
	assert_int_equal(files_read(path, &anybody, arena, &inputs, &count, &diags), 0);
	assert_int_equal(count, 1);
	diags_free(&diags);
	inputs->file = strrchr(inputs->file, '/') + 1;
	return *inputs;
}

static const char *format_all(struct arena *arena, const struct diags *diags)
{
	const char *text = "";
	for (size_t i = 0; i < diags->count; i++)
		text = arena_printf(arena, "%s%s", text,
				    diag_format(arena, &diags->items[i], COLUMNS));
	return text;
}

static void bad(void **state)
{
	const char *path = *state;
	struct arena *arena = arena_new();
	struct diags diags;
	diags_init(&diags);

	struct input input = read_input(arena, path);
	size_t stem = strlen(path) - strlen(".yaml");
	struct input expect =
		read_input(arena, arena_printf(arena, "%.*s.expect", (int)stem, path));
	const char *expected = arena_strndup(arena, expect.bytes, expect.size);

	assert_null(load(&input, 1, NULL, &diags));
	assert_string_equal(format_all(arena, &diags), expected);
	diags_free(&diags);
	arena_free(arena);
}

static void good(void **state)
{
	struct arena *arena = arena_new();
	struct diags diags;
	diags_init(&diags);
	struct input input = read_input(arena, *state);
	struct desired *desired = load(&input, 1, NULL, &diags);
	assert_string_equal(format_all(arena, &diags), "");
	assert_non_null(desired);
	assert_true(desired->n_sets > 0);
	desired_free(desired);
	diags_free(&diags);
	arena_free(arena);
}

/* One test for each matching file, with its name. */
static size_t add_tests(struct CMUnitTest *tests, const glob_t *files, CMUnitTestFunction function)
{
	for (size_t i = 0; i < files->gl_pathc; i++)
		tests[i] = (struct CMUnitTest){
			.name = files->gl_pathv[i],
			.test_func = function,
			.initial_state = files->gl_pathv[i],
		};
	return files->gl_pathc;
}

int main(void)
{
	glob_t bads, goods;
	if (glob("tests/input/bad/*.yaml", 0, NULL, &bads) != 0 ||
	    glob("tests/input/good/*.yaml", 0, NULL, &goods) != 0) {
		print_error("run this from the top of the repository\n");
		return 1;
	}
	struct CMUnitTest *tests = calloc(bads.gl_pathc + goods.gl_pathc, sizeof(*tests));
	size_t count = add_tests(tests, &bads, bad);
	count += add_tests(tests + count, &goods, good);

	int failed = _cmocka_run_group_tests("input", tests, count, NULL, NULL);
	free(tests);
	globfree(&bads);
	globfree(&goods);
	return failed;
}
