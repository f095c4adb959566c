#include "kernel/unit_cgroup.h"

#include "kernel/process.h"
#include "lib/cleanup.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* The unified hierarchy, the same beside version 1, and systemd's own of version 1. */
static const char *const hierarchies[] = {"/sys/fs/cgroup", "/sys/fs/cgroup/unified",
					  "/sys/fs/cgroup/systemd"};

/* a-b-c.slice is in a-b.slice, in a.slice. */
#define SLICES_MAX 16

static int folder_open(int parent, const char *name)
{
	struct stat stat;
	cleanup_close int fd =
		openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return fd >= 0 && fstat(fd, &stat) == 0 && stat.st_uid == 0 ? fd_steal(&fd) : -1;
}

static bool has_suffix(const struct dirent *entry, const char *suffix)
{
	const size_t length = strlen(entry->d_name), end = strlen(suffix);
	return length > end && strcmp(entry->d_name + length - end, suffix) == 0;
}

static int slice_open(DIR *entries, const struct dirent *entry)
{
	return has_suffix(entry, ".slice") ? folder_open(dirfd(entries), entry->d_name) : -1;
}

/* Systemd puts '_' before a name that could be one of the kernel's files (cg_escape). */
static int unit_here(int folder, const char *unit)
{
	char escaped[NAME_MAX + 1];
	const int fd = folder_open(folder, unit);
	if (fd >= 0 || snprintf(escaped, sizeof(escaped), "_%s", unit) >= (int)sizeof(escaped))
		return fd;
	return folder_open(folder, escaped);
}

/* Takes over the descriptor of the folder. Returns the unit's, or -1. */
static int unit_below(int folder, const char *unit, unsigned depth)
{
	cleanup_closedir DIR *entries = fdopendir(folder);
	if (!entries) {
		close(folder);
		return -1;
	}
	int found = unit_here(dirfd(entries), unit);
	for (struct dirent *entry; found < 0 && depth > 0 && (entry = readdir(entries));) {
		const int slice = slice_open(entries, entry);
		if (slice >= 0)
			found = unit_below(slice, unit, depth - 1);
	}
	return found;
}

/* Process ids are 0 for those of other pid namespaces. */
static pid_t oldest_process(int group)
{
	int fd = openat(group, "cgroup.procs", O_RDONLY | O_CLOEXEC);
	cleanup_fclose FILE *list = fd >= 0 ? fdopen(fd, "r") : NULL;
	struct error ignored;
	if (fd >= 0 && !list)
		close(fd);
	int64_t first = INT64_MAX;
	pid_t oldest = -ENOENT;
	for (int pid; list && fscanf(list, "%d", &pid) == 1;) {
		cleanup_close int process = pid > 0 ? process_open(pid, &ignored) : -1;
		const int64_t started = process >= 0 ? process_started(process) : -1;
		if (started < 0 || started >= first)
			continue;
		first = started;
		oldest = pid;
	}
	return oldest;
}

pid_t unit_main_pid(const char *unit, struct error *error)
{
	pid_t pid = -ENOENT;
	for (size_t i = 0; i < sizeof(hierarchies) / sizeof(hierarchies[0]) && pid < 0; i++) {
		const int root = folder_open(AT_FDCWD, hierarchies[i]);
		cleanup_close const int group = root >= 0 ? unit_below(root, unit, SLICES_MAX) : -1;
		if (group >= 0)
			pid = oldest_process(group);
	}
	return pid > 0 ? pid : error_set(error, ENOENT, "%s has no process", unit);
}

/* Takes over the descriptor of the folder. */
static void list_below(int folder, void (*visit)(void *data, const char *unit), void *data,
		       unsigned depth)
{
	cleanup_closedir DIR *entries = fdopendir(folder);
	if (!entries)
		close(folder);
	for (struct dirent *entry; entries && (entry = readdir(entries));) {
		const int slice = depth > 0 ? slice_open(entries, entry) : -1;
		if (slice >= 0)
			list_below(slice, visit, data, depth - 1);
		else if (has_suffix(entry, ".service"))
			visit(data, entry->d_name + (entry->d_name[0] == '_'));
	}
}

void units_list(void (*visit)(void *data, const char *unit), void *data)
{
	for (size_t i = 0; i < sizeof(hierarchies) / sizeof(hierarchies[0]); i++) {
		const int root = folder_open(AT_FDCWD, hierarchies[i]);
		if (root >= 0)
			list_below(root, visit, data, SLICES_MAX);
	}
}
