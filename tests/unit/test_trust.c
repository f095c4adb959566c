/* The files that root accepts, and the findings for unreadable ones. */
#include "schema/diag_report.h"
#include "schema/files.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

struct row {
	uid_t user;
	gid_t group;
	mode_t mode;
	const char *problem, *hint; /* the hint's beginning; NULL: it is taken */
};

static void check(const struct trust *trust, const struct row *rows, size_t count)
{
	struct arena *arena = arena_new();
	for (size_t i = 0; i < count; i++) {
		const struct row *row = &rows[i];
		const struct stat status = {
			.st_uid = row->user, .st_gid = row->group, .st_mode = S_IFREG | row->mode};
		const char *hint = NULL;
		const char *problem = trust_problem(trust, &status, "a.yaml", arena, &hint);
		if (!row->problem) {
			assert_null(problem);
			continue;
		}
		assert_non_null(problem);
		assert_string_equal(problem, row->problem);
		assert_memory_equal(hint, row->hint, strlen(row->hint));
	}
	arena_free(arena);
}

#define CHECK(trust, rows) check(trust, rows, sizeof(rows) / sizeof((rows)[0]))

static void by_root(void **state)
{
	static const struct row rows[] = {
		{0, 0, 0600, NULL, NULL},
		{0, 0, 0644, NULL, NULL},
		{0, 0, 0664, NULL, NULL},
		{0, 20, 0644, NULL, NULL},
		{0, 20, 0664, "is writable by group 20 (mode 0664)", "`chmod go-w a.yaml`"},
		{0, 0, 0646, "is writable by everyone (mode 0646)", "`chmod go-w a.yaml`"},
		{0, 0, 01777, "is writable by everyone (mode 1777)", "`chmod go-w a.yaml`"},
		{1000, 0, 0600, "is owned by user 1000, but mvapply runs as root",
		 "`chown root a.yaml`"},
		{1000, 0, 0444, "is owned by user 1000, but mvapply runs as root",
		 "`chown root a.yaml`"},
	};
	const struct trust trust = {0};
	(void)state;
	CHECK(&trust, rows);
}

/* The files of the user of sudo count as root's; those that others can write do not. */
static void by_sudo(void **state)
{
	static const struct row rows[] = {
		{1000, 1000, 0644, NULL, NULL},
		{0, 0, 0644, NULL, NULL},
		{1000, 1000, 0664, "is writable by group 1000 (mode 0664)", "`chmod go-w a.yaml`"},
		{1000, 1000, 0666, "is writable by everyone (mode 0666)", "`chmod go-w a.yaml`"},
		{1001, 1000, 0644, "is owned by user 1001, but mvapply runs as root",
		 "`chown root a.yaml`"},
	};
	const struct trust trust = {.user = 1000};
	(void)state;
	CHECK(&trust, rows);
}

static void by_anybody(void **state)
{
	static const struct row rows[] = {{1000, 1000, 0666, NULL, NULL},
					  {0, 20, 0777, NULL, NULL}};
	const struct trust trust = {.everybody = true};
	(void)state;
	CHECK(&trust, rows);
}

static int folder_make(void **state)
{
	static char path[64];
	snprintf(path, sizeof(path), "/tmp/mvapply-test-XXXXXX");
	*state = mkdtemp(path);
	return *state ? 0 : -1;
}

static int folder_remove(void **state)
{
	char path[128];
	snprintf(path, sizeof(path), "%s/a.yaml", (const char *)*state);
	unlink(path);
	return rmdir(*state);
}

/* Reads `path`; the text of the one finding, or "" after `count` files were read. */
static void assert_read(const char *path, const struct trust *trust, size_t count,
			const char *finding)
{
	struct arena *arena = arena_new();
	struct input *inputs = NULL;
	struct diags diags;
	size_t found = 0;
	diags_init(&diags);
	int status = files_read(path, trust, arena, &inputs, &found, &diags);
	assert_int_equal(found, count);
	assert_int_equal(status, *finding ? -1 : 0);
	assert_string_equal(diags.count ? diags.items[0].text : "", finding);
	diags_free(&diags);
	arena_free(arena);
}

/* The user of the tests stands for the user of sudo. */
static void of_files(void **state)
{
	const char *folder = *state;
	const struct trust trust = {.user = getuid()}, nobody = {.everybody = true};
	char path[128];
	snprintf(path, sizeof(path), "%s/a.yaml", folder);
	close(open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
	assert_read(path, &trust, 1, "");
	assert_read(folder, &trust, 1, "");
	assert_int_equal(chmod(path, 0606), 0);
	assert_read(path, &trust, 0, "is writable by everyone (mode 0606)");
	assert_read(folder, &trust, 0, "is writable by everyone (mode 0606)");
	assert_read(path, &nobody, 1, "");
	assert_int_equal(chmod(path, 0600), 0);
	assert_int_equal(chmod(folder, 01777), 0);
	assert_read(path, &trust, 1, "");
	assert_read(folder, &trust, 0, "is writable by everyone (mode 1777)");
	assert_read(folder, &nobody, 1, "");
}

static void of_a_pipe(void **state)
{
	int ends[2];
	char path[32];
	(void)state;
	assert_int_equal(pipe(ends), 0);
	close(ends[1]);
	snprintf(path, sizeof(path), "/dev/fd/%d", ends[0]);
	assert_read(path, &(struct trust){.user = 1}, 1, "");
	close(ends[0]);
}

static void not_to_be_read(void **state)
{
	const struct trust anybody = {.everybody = true};
	(void)state;
	char unreadable[64]; /* C libraries differ in the words */
	snprintf(unreadable, sizeof(unreadable), "cannot be read: %s", strerror(EIO));
	assert_read("/proc/self/mem", &anybody, 0, unreadable);
	assert_read("/dev/null/a.yaml", &anybody, 0, "cannot be opened: Not a directory");
	assert_read("/dev", &anybody, 0, "contains no *.yaml or *.yml file");
}

/* Findings beyond the limit are counted. */
static void not_to_be_counted(void **state)
{
	const struct trust anybody = {.everybody = true};
	struct arena *arena = arena_new();
	struct input *inputs = NULL;
	struct diags diags;
	size_t count = 0;
	(void)state;
	diags_init(&diags);
	for (int i = 0; i < DIAGS_MAX + 2; i++)
		assert_int_equal(files_read("/nothing", &anybody, arena, &inputs, &count, &diags),
				 -1);
	assert_int_equal(diags.count, DIAGS_MAX);
	assert_int_equal(diags.omitted, 2);
	diags_free(&diags);
	arena_free(arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(by_root),
		cmocka_unit_test(by_sudo),
		cmocka_unit_test(by_anybody),
		cmocka_unit_test_setup_teardown(of_files, folder_make, folder_remove),
		cmocka_unit_test(of_a_pipe),
		cmocka_unit_test(not_to_be_read),
		cmocka_unit_test(not_to_be_counted),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
