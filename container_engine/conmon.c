#include "container_engine/conmon.h"

#include "lib/cleanup.h"
#include "lib/read_full.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* A hook is a child of the runtime or of its first process, and that of conmon. */
#define ANCESTORS_MAX 8

/* Conmon's command line has the runtime's options, too. */
#define LINE_MAX_BYTES 65536

/* The argument behind `*at`, or NULL behind the last. */
static const char *argument_next(const char *line, size_t size, size_t *at)
{
	const char *argument = line + *at;
	const size_t length = *at < size ? strnlen(argument, size - *at) : size;
	if (*at + length >= size)
		return NULL;
	*at += length + 1;
	return argument;
}

static bool is_option(const char *argument, const char *letter, const char *word)
{
	return strcmp(argument, letter) == 0 || strcmp(argument, word) == 0;
}

static bool is_conmon(const char *path)
{
	const char *slash = strrchr(path, '/');
	return strcmp(slash ? slash + 1 : path, "conmon") == 0;
}

const char *conmon_name(const char *line, size_t size, const char *id)
{
	size_t at = 0;
	const char *name = NULL, *cid = NULL, *argument = argument_next(line, size, &at);
	if (!argument || !is_conmon(argument))
		return NULL;
	while ((argument = argument_next(line, size, &at))) {
		const char **value = is_option(argument, "-n", "--name")  ? &name
				     : is_option(argument, "-c", "--cid") ? &cid
									  : NULL;
		/* The first: behind it are the arguments of the exit command. */
		if (value && !*value && !(*value = argument_next(line, size, &at)))
			return NULL;
	}
	return cid && strcmp(cid, id) == 0 ? name : NULL;
}

/* A file of /proc has no size. Returns the number of bytes; 0: it cannot be read. */
static size_t file_read(int folder, const char *name, char *bytes, size_t room)
{
	cleanup_close int fd = openat(folder, name, O_RDONLY | O_CLOEXEC);
	const ssize_t size = fd >= 0 ? read_full(fd, bytes, room) : 0;
	return size > 0 ? (size_t)size : 0;
}

/* proc_pid_stat(5): the name, in parentheses, may contain anything. */
static pid_t parent_of(int folder)
{
	char text[1024];
	const size_t size = file_read(folder, "stat", text, sizeof(text) - 1);
	text[size] = '\0';
	const char *end = strrchr(text, ')');
	int parent = 0;
	return end && sscanf(end + 1, " %*c %d", &parent) == 1 ? parent : 0;
}

static bool of_root(int folder)
{
	struct stat status;
	return fstat(folder, &status) == 0 && status.st_uid == 0;
}

const char *conmon_find(pid_t process, const char *id, struct arena *arena)
{
	char *line = arena_alloc(arena, LINE_MAX_BYTES);
	for (int i = 0; i < ANCESTORS_MAX && process > 1; i++) {
		char path[32];
		snprintf(path, sizeof(path), "/proc/%d", (int)process);
		cleanup_close int folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (folder < 0 || !of_root(folder))
			return NULL;
		const char *name =
			conmon_name(line, file_read(folder, "cmdline", line, LINE_MAX_BYTES), id);
		if (name)
			return name;
		process = parent_of(folder);
	}
	return NULL;
}
