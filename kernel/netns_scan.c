/* Finds network namespaces by mounts and by processes. */
#include "kernel/netns.h"
#include "kernel/netns_mounts.h"

#include "lib/cleanup.h"
#include "lib/memory.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool no_descriptor_left(void)
{
	return errno == EMFILE || errno == ENFILE;
}

static void mounts_scan(const struct netns_mounts *mounts, netns_visit *visit, void *data,
			struct netns_missed *missed)
{
	struct netns_mounts *read = mounts ? NULL : netns_mounts_read_own();
	missed->mounts = !mounts && !read;
	missed->no_descriptors |= missed->mounts && no_descriptor_left();
	mounts = mounts ? mounts : read;
	for (size_t i = 0; mounts && i < mounts->count; i++)
		visit(&mounts->places[i], data);
	netns_mounts_free(read);
}

struct process {
	char number[16];
	ino_t inode; /* of its namespace; 0: unknown */
};

struct processes {
	struct process *items;
	size_t count, room;
};

struct process_scan {
	struct processes seen, denied;
};

static void process_add(struct processes *processes, const char *number, ino_t inode)
{
	if (processes->count == processes->room) {
		processes->room = processes->room * 2 + 16;
		processes->items = memory_or_die(
			reallocarray(processes->items, processes->room, sizeof(*processes->items)));
	}
	struct process *process = &processes->items[processes->count++];
	process->inode = inode;
	snprintf(process->number, sizeof(process->number), "%.15s", number);
}

#define LINK_TARGET_SIZE 64

/* The inode in the target of a link of /proc, "net:[INODE]"; 0: it has another target, or cannot be
 * read. Then `target` is "" (errno). */
static ino_t link_inode(int directory, const char *path, char target[LINK_TARGET_SIZE])
{
	static const char begin[] = "net:[";
	const ssize_t length = readlinkat(directory, path, target, LINK_TARGET_SIZE - 1);
	target[length > 0 ? length : 0] = '\0';
	return strncmp(target, begin, strlen(begin)) == 0
		       ? strtoul(target + strlen(begin), NULL, 10)
		       : 0;
}

/* Linux 5.10 shows everybody in which namespace a process is, and refuses to open it. Rejected:
 * stat(2), for which the kernel looks up the namespace's file: twice the time. */
static void process_visit(int directory, const char *pid, struct process_scan *scan,
			  netns_visit *visit, void *data)
{
	char path[300], name[300], target[LINK_TARGET_SIZE];
	snprintf(path, sizeof(path), "%s/ns/net", pid);
	const ino_t inode = link_inode(directory, path, target);
	if (!inode) {
		if (!*target && (errno == EACCES || errno == EPERM))
			process_add(&scan->denied, pid, 0);
		return;
	}
	snprintf(name, sizeof(name), "pid %s", pid);
	const struct netns_place place = {.directory = directory,
					  .path = path,
					  .inode = inode,
					  .name = name,
					  .process = true};
	process_add(visit(&place, data) ? &scan->seen : &scan->denied, pid, inode);
}

/* The inode of a process's /proc/PID/net/dev. Every user may read it, and it is unique for each
 * network namespace, so it shows whether two processes share one. Negative errno: unknown; -ENOENT
 * for a process that has ended, including a zombie (get_proc_task_net). */
static int net_inode(int directory, const char *pid, ino_t *ret)
{
	struct stat stat;
	char path[64];
	snprintf(path, sizeof(path), "%s/net/dev", pid);
	if (fstatat(directory, path, &stat, 0) < 0)
		return -errno;
	*ret = stat.st_ino;
	return 0;
}

static int inode_compare(const void *a, const void *b)
{
	const ino_t left = *(const ino_t *)a, right = *(const ino_t *)b;
	return left < right ? -1 : left > right;
}

static int namespace_compare(const void *a, const void *b)
{
	const struct process *left = a, *right = b;
	return inode_compare(&left->inode, &right->inode);
}

/* Removes the inodes that a process has; with `first`, only the first process of
 * each namespace is examined. Returns the number that is left. */
static size_t inodes_without(int directory, const struct processes *seen, bool first, ino_t *inodes,
			     size_t count)
{
	ino_t *found = memory_new(seen->count + 1, sizeof(*found));
	size_t n_found = 0, left = 0;
	for (size_t i = 0; i < seen->count; i++)
		if (!first || i == 0 || seen->items[i].inode != seen->items[i - 1].inode)
			n_found +=
				net_inode(directory, seen->items[i].number, &found[n_found]) == 0;
	qsort(found, n_found, sizeof(*found), inode_compare);
	for (size_t i = 0; i < count; i++)
		if (!bsearch(&inodes[i], found, n_found, sizeof(*found), inode_compare))
			inodes[left++] = inodes[i];
	free(found);
	return left;
}

/* The number of unreadable processes whose namespace no readable process has. The first process of
 * a namespace may have ended meanwhile. */
static size_t unreadable_count(int directory, const struct process_scan *scan)
{
	size_t unreadable = 0, left = 0;
	ino_t *inodes = memory_new(scan->denied.count + 1, sizeof(*inodes));
	for (size_t i = 0; i < scan->denied.count; i++) {
		const int status =
			net_inode(directory, scan->denied.items[i].number, &inodes[left]);
		left += status == 0;
		unreadable += status < 0 && status != -ENOENT && status != -ESRCH;
	}
	if (left && scan->seen.count) {
		qsort(scan->seen.items, scan->seen.count, sizeof(*scan->seen.items),
		      namespace_compare);
		left = inodes_without(directory, &scan->seen, true, inodes, left);
	}
	if (left)
		left = inodes_without(directory, &scan->seen, false, inodes, left);
	free(inodes);
	return unreadable + left;
}

/* With the mount option hidepid, /proc does not list processes that the caller may not trace.
 * Without it, process 1 is always listed. */
static bool processes_hidden(int directory)
{
	struct stat stat;
	return fstatat(directory, "1", &stat, 0) < 0;
}

static void processes_scan(netns_visit *visit, void *data, struct netns_missed *missed)
{
	struct process_scan scan = {0};
	cleanup_closedir DIR *entries = opendir("/proc");
	missed->no_descriptors |= !entries && no_descriptor_left();
	missed->hidden = !entries || processes_hidden(dirfd(entries));
	if (!entries)
		return;
	for (struct dirent *entry; (entry = readdir(entries));)
		if (isdigit((unsigned char)entry->d_name[0]))
			process_visit(dirfd(entries), entry->d_name, &scan, visit, data);
	missed->processes = unreadable_count(dirfd(entries), &scan);
	free(scan.seen.items);
	free(scan.denied.items);
}

struct netns_missed netns_scan(const struct netns_mounts *mounts, netns_visit *visit, void *data)
{
	struct netns_missed missed = {0};
	mounts_scan(mounts, visit, data, &missed);
	processes_scan(visit, data, &missed);
	return missed;
}

/* The inode of a descriptor's file, as the kernel has it; 0: unknown. Rejected: stat(2), which can
 * wait for a file server. */
static ino_t cached_inode(int descriptors, const char *number)
{
	struct stat found;
	return fstatat(descriptors, number, &found, AT_STATX_DONT_SYNC) == 0 ? found.st_ino : 0;
}

/* The same from /proc/PID/fdinfo (5.14 and later), which asks no filesystem. */
static ino_t fdinfo_inode(int descriptors, const char *number)
{
	static const char key[] = "\nino:";
	char path[300], text[256];
	snprintf(path, sizeof(path), "../fdinfo/%s", number);
	cleanup_close int fd = openat(descriptors, path, O_RDONLY | O_CLOEXEC);
	ssize_t size = fd >= 0 ? read(fd, text, sizeof(text) - 1) : 0;
	text[size > 0 ? size : 0] = '\0';
	const char *at = strstr(text, key);
	return at ? strtoull(at + strlen(key), NULL, 10) : cached_inode(descriptors, number);
}

/* A descriptor's link is "net:[INODE]" if it was opened through /proc, otherwise the path of a
 * mount, which may be gone. */
static ino_t descriptor_inode(int descriptors, const char *number)
{
	char target[LINK_TARGET_SIZE];
	const ino_t inode = link_inode(descriptors, number, target);
	return inode || target[0] != '/' ? inode : fdinfo_inode(descriptors, number);
}

/* Limits of the descriptors that are read, of one process and in all: whoever controls a process
 * can open any number of them. The total takes about a second. */
#define DESCRIPTORS_OF_ONE 4096
#define DESCRIPTORS_IN_ALL 262144

/* Subtracts the number of read descriptors from `left`. */
static void descriptors_visit(DIR *descriptors, const char *pid, size_t *left, netns_visit *visit,
			      void *data)
{
	char name[64];
	struct dirent *entry;
	snprintf(name, sizeof(name), "descriptor of pid %.20s", pid);
	for (size_t i = 0; i < DESCRIPTORS_OF_ONE && *left && (entry = readdir(descriptors));
	     i++, (*left)--) {
		const ino_t inode = descriptor_inode(dirfd(descriptors), entry->d_name);
		const struct netns_place place = {.directory = dirfd(descriptors),
						  .path = entry->d_name,
						  .inode = inode,
						  .name = name,
						  .process = true};
		if (inode)
			visit(&place, data);
	}
}

void netns_scan_descriptors(netns_visit *visit, void *data)
{
	cleanup_closedir DIR *entries = opendir("/proc");
	size_t left = DESCRIPTORS_IN_ALL;
	if (!entries)
		return;
	for (struct dirent *entry; left && (entry = readdir(entries));) {
		char path[300];
		snprintf(path, sizeof(path), "/proc/%s/fd", entry->d_name);
		cleanup_closedir DIR *descriptors =
			isdigit((unsigned char)entry->d_name[0]) ? opendir(path) : NULL;
		if (descriptors)
			descriptors_visit(descriptors, entry->d_name, &left, visit, data);
	}
}
