/* What a hook learns of the container that is being started. */
#include "cmd/attach/runtime_arguments.h"
#include "container_engine/conmon.h"
#include "container_engine/docker_bundle.h"
#include "container_engine/oci_state.h"

#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define ID "6f7567c01e05"

static void test_state(void **state)
{
	static const struct {
		const char *json;
		const char *id; /* NULL: refused */
		pid_t pid;
	} rows[] = {
		{"{\"ociVersion\":\"1.0.2\",\"id\":\"" ID "\",\"status\":\"creating\",\"pid\":32}",
		 ID, 32},
		{"{\"id\":\"" ID "\",\"status\":\"stopped\"}", ID, 0},
		{"{\"id\":\"" ID "\",\"pid\":0,\"annotations\":{\"a\":\"b\"}}", ID, 0},
		{"{\"id\":\"\",\"pid\":1}", NULL, 0},
		{"{\"pid\":1}", NULL, 0},
		{"{\"id\":7,\"pid\":1}", NULL, 0},
		{"{\"id\":\"" ID "\",\"pid\":\"32\"}", NULL, 0},
		{"{\"id\":\"" ID "\",\"pid\":-1}", NULL, 0},
		{"{\"id\":\"" ID "\",\"pid\":4294967297}", NULL, 0},
		{"{\"id\":\"" ID "\",\"pid\":1.5}", NULL, 0},
		{"[]", NULL, 0},
		{"null", NULL, 0},
		{"{\"id\"", NULL, 0},
		{"", NULL, 0},
	};
	struct arena *arena = arena_new();
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct oci_state found = {0};
		struct error error = {0};
		const int status =
			oci_state_parse(rows[i].json, strlen(rows[i].json), arena, &found, &error);
		if (rows[i].id) {
			assert_int_equal(status, 0);
			assert_string_equal(found.id, rows[i].id);
			assert_int_equal(found.pid, rows[i].pid);
			continue;
		}
		assert_true(status < 0);
		assert_int_equal(error.code, CODE_OCI_STATE);
		assert_true(*error.hint);
	}
	arena_free(arena);
}

#define LINE(text) text, sizeof(text) - 1

static void test_conmon_name(void **state)
{
	static const struct {
		const char *line;
		size_t size;
		const char *name; /* NULL: it is not the container's */
	} rows[] = {
		{LINE("/usr/bin/conmon\0-c\0" ID "\0-u\0x\0-n\0web\0"), "web"},
		{LINE("conmon\0--name\0web\0--cid\0" ID "\0"), "web"},
		/* Behind the exit command are arguments that are not conmon's. */
		{LINE("conmon\0-c\0" ID "\0-n\0web\0--exit-command-arg\0-n\0other\0"), "web"},
		{LINE("conmon\0-c\0other\0-n\0web\0"), NULL},
		{LINE("conmon\0-c\0" ID "\0"), NULL},
		{LINE("conmon\0-n\0web\0"), NULL},
		{LINE("conmon\0-c\0" ID "\0-n\0"), NULL},
		{LINE("conmon\0-c\0" ID "\0-n\0web"), NULL},
		{LINE("/usr/bin/runc\0-c\0" ID "\0-n\0web\0"), NULL},
		{LINE("/tmp/notconmon\0-c\0" ID "\0-n\0web\0"), NULL},
		{LINE("conmon"), NULL},
		{LINE(""), NULL},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const char *name = conmon_name(rows[i].line, rows[i].size, ID);
		if (rows[i].name)
			assert_string_equal(name, rows[i].name);
		else
			assert_null(name);
	}
}

static void test_conmon_find(void **state)
{
	struct arena *arena = arena_new();
	(void)state;
	/* No ancestor of a test is a container's monitor, and no process has this number. */
	assert_null(conmon_find(getpid(), ID, arena));
	assert_null(conmon_find(INT_MAX, ID, arena));
	assert_null(conmon_find(0, ID, arena));
	assert_null(conmon_find(-1, ID, arena));
	arena_free(arena);
}

#define FOLDER "/var/lib/docker/containers/" ID

static void test_hostname_path(void **state)
{
	static const struct {
		const char *json;
		const char *path; /* NULL: it is not Docker's */
	} rows[] = {
		{"{\"mounts\":[{\"destination\":\"/proc\",\"source\":\"proc\"},"
		 "{\"destination\":\"/etc/hostname\",\"source\":\"" FOLDER "/hostname\"}]}",
		 FOLDER "/hostname"},
		/* A file that was mounted there. */
		{"{\"mounts\":[{\"destination\":\"/etc/hostname\",\"source\":\"/tmp/hostname\"}]}",
		 NULL},
		{"{\"mounts\":[{\"destination\":\"/etc/hostname\",\"source\":\"/tmp/x" ID
		 "/hostname\"}]}",
		 NULL},
		{"{\"mounts\":[{\"destination\":\"/etc/hostname\",\"source\":\"" ID
		 "/hostname\"}]}",
		 NULL},
		{"{\"mounts\":[{\"destination\":\"/etc/hostname\",\"source\":7}]}", NULL},
		{"{\"mounts\":{}}", NULL},
		{"{}", NULL},
		{"[", NULL},
	};
	struct arena *arena = arena_new();
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const char *path =
			docker_hostname_path(rows[i].json, strlen(rows[i].json), ID, arena);
		if (rows[i].path)
			assert_string_equal(path, rows[i].path);
		else
			assert_null(path);
	}
	arena_free(arena);
}

#define LABELS(number)                                                                             \
	"\"Config\":{\"Labels\":{\"com.docker.compose.project\":\"shop\","                         \
	"\"com.docker.compose.service\":\"web\",\"com.docker.compose.container-number\":\"" number \
	"\"}}"
#define NETWORKS(name) "\"NetworkSettings\":{\"Networks\":{\"" name "\":{}}}"

static void test_docker_names(void **state)
{
	static const struct {
		const char *json;
		struct docker_names names;
	} rows[] = {
		{"{\"ID\":\"" ID "\",\"Name\":\"/web\"}", {.name = "web"}},
		{"{\"ID\":\"" ID "\",\"Name\":\"/web\"," LABELS("1") "}",
		 {.name = "web", .service = "shop/web"}},
		{"{\"ID\":\"" ID "\",\"Name\":\"/web\"," LABELS("2") "}", {.name = "web"}},
		{"{\"ID\":\"" ID "\",\"Name\":\"/web\"," NETWORKS("none") "}", {.name = "web"}},
		{"{\"ID\":\"" ID "\",\"Name\":\"/web\"," NETWORKS("bridge") "}",
		 {.name = "web", .networks = true}},
		{"{\"ID\":\"other\",\"Name\":\"/web\"}", {.name = NULL}},
		{"{\"Name\":\"/web\"}", {.name = NULL}},
		{"{\"ID\":\"" ID "\"}", {.name = NULL}},
		{"[]", {.name = NULL}},
		{"", {.name = NULL}},
	};
	struct arena *arena = arena_new();
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct docker_names found =
			docker_names_parse(rows[i].json, strlen(rows[i].json), ID, arena);
		const char *name = rows[i].names.name, *service = rows[i].names.service;
		assert_string_equal(found.name ? found.name : "-", name ? name : "-");
		assert_string_equal(found.service ? found.service : "-", service ? service : "-");
		assert_int_equal(found.networks, rows[i].names.networks);
	}
	arena_free(arena);
}

static void test_bundle(void **state)
{
	struct arena *arena = arena_new();
	(void)state;
	assert_null(docker_bundle_names("/nonexistent", ID, arena).name);
	assert_null(docker_bundle_names("/dev", ID, arena).name);
	arena_free(arena);
}

#define WORDS_MAX 16

static const char *or_none(const char *text)
{
	return text ? text : "-";
}

static void test_runtime_arguments(void **state)
{
	static const struct {
		const char *argv[WORDS_MAX];
		int first, command;
		const char *log, *pid_file, *bundle, *id;
	} rows[] = {
		{{"r", "--root", "/run/x", "--log", "/l", "--log-format", "json", "create",
		  "--bundle", "/b", "--pid-file", "/p", "web"},
		 1,
		 7,
		 "/l",
		 "/p",
		 "/b",
		 "web"},
		{{"r", "--mvapply-file=/f", "--mvapply-runtime=crun", "--log=/l", "create", "-b",
		  "/b", "--pid-file=/p", "--no-pivot", "web"},
		 3,
		 4,
		 "/l",
		 "/p",
		 "/b",
		 "web"},
		{{"r", "--systemd-cgroup", "start", "web"}, 1, 2, NULL, NULL, NULL, "web"},
		{{"r", "--root", "create", "kill", "web", "9"}, 1, 3, NULL, NULL, NULL, "9"},
		{{"r", "--version"}, 1, 2, NULL, NULL, NULL, NULL},
		{{"r"}, 1, 1, NULL, NULL, NULL, NULL},
		{{"r", "create", "--pid-file"}, 1, 1, NULL, NULL, NULL, NULL},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		int argc = 0;
		while (rows[i].argv[argc])
			argc++;
		const struct runtime_arguments found = runtime_arguments_parse(argc, rows[i].argv);
		assert_int_equal(found.first, rows[i].first);
		assert_int_equal(found.command, rows[i].command);
		assert_string_equal(or_none(found.log), or_none(rows[i].log));
		assert_string_equal(or_none(found.pid_file), or_none(rows[i].pid_file));
		assert_string_equal(or_none(found.bundle), or_none(rows[i].bundle));
		assert_string_equal(or_none(found.id), or_none(rows[i].id));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_state),
		cmocka_unit_test(test_conmon_name),
		cmocka_unit_test(test_conmon_find),
		cmocka_unit_test(test_hostname_path),
		cmocka_unit_test(test_docker_names),
		cmocka_unit_test(test_bundle),
		cmocka_unit_test(test_runtime_arguments),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
