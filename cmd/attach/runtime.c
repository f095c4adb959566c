#include "cmd/attach/runtime.h"

#include "cmd/attach/runtime_arguments.h"
#include "lib/arena.h"
#include "lib/cleanup.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define RUNTIME_NAME    "mvapply-runtime"
#define RUNTIME_DEFAULT "runc"
#define FILES_DEFAULT   "/etc/mvapply"

/* The shell's exit code for a program that cannot be run. */
#define EXIT_NO_PROGRAM 127

/* The limit of a hook's message; a longer one is truncated. */
#define MESSAGE_MAX 8192

struct wrapper {
	struct runtime_arguments arguments;
	char **argv; /* of the real runtime, which is its first */
	char **hook; /* the arguments of `mvapply hook` */
	long pid;    /* the created container's first process; 0: not known */
	struct arena *arena;
};

bool runtime_meant(char *const *argv)
{
	const char *slash = strrchr(argv[0], '/');
	return strcmp(slash ? slash + 1 : argv[0], RUNTIME_NAME) == 0;
}

/* --mvapply-runtime is ours; each other --mvapply-OPTION=VALUE is a --OPTION=VALUE of the hook. */
static struct wrapper wrapper_make(int argc, char **argv, struct arena *arena)
{
	struct wrapper wrapper = {.arguments =
					  runtime_arguments_parse(argc, (const char *const *)argv),
				  .arena = arena};
	const int first = wrapper.arguments.first;
	const size_t length = strlen(RUNTIME_OWN_PREFIX), rest = (size_t)(argc - first);
	const char *runtime = RUNTIME_DEFAULT;
	bool file = false;
	size_t count = 0;
	wrapper.hook = arena_alloc(arena, (size_t)(first + 4) * sizeof(char *));
	wrapper.hook[count++] = arena_strdup(arena, "mvapply");
	wrapper.hook[count++] = arena_strdup(arena, "hook");
	for (int i = 1; i < first; i++) {
		const char *own = argv[i] + length;
		file |= strncmp(own, "file=", 5) == 0;
		if (strncmp(own, "runtime=", 8) == 0)
			runtime = own + 8;
		else
			wrapper.hook[count++] = arena_printf(arena, "--%s", own);
	}
	if (!file)
		wrapper.hook[count++] = arena_strdup(arena, "--file=" FILES_DEFAULT);
	wrapper.argv = arena_alloc(arena, (rest + 2) * sizeof(char *));
	wrapper.argv[0] = arena_strdup(arena, runtime);
	memcpy(wrapper.argv + 1, argv + first, rest * sizeof(char *));
	return wrapper;
}

static void runtime_exec(char *const *argv)
{
	execvp(argv[0], argv);
	fprintf(stderr, RUNTIME_NAME ": cannot run %s: %s\n", argv[0], strerror(errno));
	_exit(EXIT_NO_PROGRAM);
}

/* The exit code; after a signal, the shell's. */
static int child_wait(pid_t child)
{
	int status;
	while (waitpid(child, &status, 0) < 0)
		if (errno != EINTR)
			return EXIT_NO_PROGRAM;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* In a child, with the descriptors that a container may inherit. */
static int runtime_child(char *const *argv)
{
	const pid_t child = fork();
	if (child == 0)
		runtime_exec(argv);
	return child < 0 ? EXIT_NO_PROGRAM : child_wait(child);
}

static long pid_read(const char *path)
{
	long pid = 0;
	cleanup_fclose FILE *file = path ? fopen(path, "re") : NULL;
	return file && fscanf(file, "%ld", &pid) == 1 ? pid : 0;
}

/* OCI runtime-spec, runtime.md, "State". */
static char *state_text(const struct wrapper *wrapper)
{
	const struct runtime_arguments *arguments = &wrapper->arguments;
	cleanup_free char *here = getcwd(NULL, 0);
	json_t *state =
		json_pack("{s:s, s:s, s:s, s:I, s:s*}", "ociVersion", "1.0.0", "id", arguments->id,
			  "status", "created", "pid", (json_int_t)wrapper->pid, "bundle",
			  arguments->bundle ? arguments->bundle : here);
	char *text = json_dumps(state, JSON_COMPACT);
	json_decref(state);
	return text;
}

static void hook_exec(char *const *argv, int input, int output)
{
	const int nothing = open("/dev/null", O_WRONLY | O_CLOEXEC);
	if (dup2(input, STDIN_FILENO) >= 0 && dup2(nothing, STDOUT_FILENO) >= 0 &&
	    dup2(output, STDERR_FILENO) >= 0)
		execv("/proc/self/exe", argv);
	_exit(EXIT_NO_PROGRAM);
}

static void message_read(int fd, char message[MESSAGE_MAX])
{
	size_t size = 0;
	ssize_t got;
	char rest[512];
	while ((got = size < MESSAGE_MAX - 1 ? read(fd, message + size, MESSAGE_MAX - 1 - size)
					     : read(fd, rest, sizeof(rest))) != 0)
		if (got > 0 && size < MESSAGE_MAX - 1)
			size += (size_t)got;
		else if (got < 0 && errno != EINTR)
			break;
	message[size] = '\0';
}

/* A file for the state, as a pipe can fill up. */
static int state_file(const struct wrapper *wrapper)
{
	cleanup_free char *text = state_text(wrapper);
	cleanup_close int fd = memfd_create("state", MFD_CLOEXEC);
	if (fd < 0 || !text || write(fd, text, strlen(text)) != (ssize_t)strlen(text))
		return -1;
	lseek(fd, 0, SEEK_SET);
	return fd_steal(&fd);
}

/* Returns its exit code; `message`: its output. */
static int hook_child(const struct wrapper *wrapper, char message[MESSAGE_MAX])
{
	int ends[2];
	cleanup_close int state = state_file(wrapper);
	if (state < 0 || pipe2(ends, O_CLOEXEC) < 0)
		return EXIT_NO_PROGRAM;
	const pid_t child = fork();
	if (child == 0)
		hook_exec(wrapper->hook, state, ends[1]);
	close(ends[1]);
	message_read(ends[0], message);
	close(ends[0]);
	return child < 0 ? EXIT_NO_PROGRAM : child_wait(child);
}

/* On one line, without the program's name, which the reader knows. */
static void message_join(char *message)
{
	static const char prefix[] = "mvapply: error: ";
	const char *from = message;
	char *to = message;
	if (strncmp(from, prefix, strlen(prefix)) == 0)
		from += strlen(prefix);
	for (; *from; from++)
		if (!isspace((unsigned char)*from))
			*to++ = *from;
		else if (to > message && to[-1] != ' ')
			*to++ = ' ';
	to -= to > message && to[-1] == ' ';
	*to = '\0';
}

/* As runc writes its log in JSON, from which containerd takes the last line of level "error". */
static void log_append(const char *path, const char *message)
{
	char now[32] = "";
	const time_t seconds = time(NULL);
	struct tm utc;
	cleanup_fclose FILE *log = path ? fopen(path, "ae") : NULL;
	if (gmtime_r(&seconds, &utc))
		strftime(now, sizeof(now), "%Y-%m-%dT%H:%M:%SZ", &utc);
	json_t *line = json_pack("{s:s, s:s, s:s}", "level", "error", "msg", message, "time", now);
	if (log && line && json_dumpf(line, log, JSON_COMPACT) == 0)
		fputc('\n', log);
	json_decref(line);
}

/* The runtime's own options, then `delete --force ID`. */
static void container_delete(const struct wrapper *wrapper)
{
	const struct runtime_arguments *arguments = &wrapper->arguments;
	const size_t globals = (size_t)(arguments->command - arguments->first) + 1;
	char **argv = arena_alloc(wrapper->arena, (globals + 4) * sizeof(char *));
	memcpy(argv, wrapper->argv, globals * sizeof(char *));
	argv[globals] = arena_strdup(wrapper->arena, "delete");
	argv[globals + 1] = arena_strdup(wrapper->arena, "--force");
	argv[globals + 2] = arena_strdup(wrapper->arena, arguments->id);
	(void)runtime_child(argv);
}

static int container_fail(const struct wrapper *wrapper, char *message)
{
	message_join(message);
	const char *text = arena_printf(wrapper->arena, "mvapply: %s",
					*message ? message : "the container was not attached");
	log_append(wrapper->arguments.log, text);
	fprintf(stderr, "%s\n", text);
	container_delete(wrapper);
	return EXIT_FAILURE;
}

int runtime_run(int argc, char **argv)
{
	__attribute__((cleanup(arena_cleanup))) struct arena *arena = arena_new();
	struct wrapper wrapper = wrapper_make(argc, argv, arena);
	const struct runtime_arguments *arguments = &wrapper.arguments;
	if (arguments->command == argc || strcmp(argv[arguments->command], "create") != 0 ||
	    !arguments->id)
		runtime_exec(wrapper.argv);
	const int created = runtime_child(wrapper.argv);
	if (created != 0)
		return created;
	char message[MESSAGE_MAX] = "the runtime was called without --pid-file";
	wrapper.pid = pid_read(arguments->pid_file);
	if (!wrapper.pid)
		return container_fail(&wrapper, message);
	*message = '\0';
	return hook_child(&wrapper, message) == 0 ? EXIT_SUCCESS
						  : container_fail(&wrapper, message);
}
