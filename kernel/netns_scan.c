/* Finds network namespaces by mounts and by processes. */
#include "kernel/netns.h"

#include "lib/cleanup.h"
#include "lib/escape.h"
#include "lib/file_text.h"
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

/* Folders that contain named namespaces, the preferred one first. */
static const struct home {
	const char *directory, *prefix; /* prefix of the displayed name */
	bool named;                     /* a file refers to it by the name alone */
} homes[] = {
	{"/run/netns/", "", true},
	{"/var/run/netns/", "", true},
	{"/run/docker/netns/", "docker ", false},
	{"", "", false},
};

struct mount {
	const struct home *home;
	ino_t inode;
	const char *path;
};

struct mounts {
	struct mount *list;
	size_t count, room;
};

static const struct home *home_of(const char *path)
{
	const struct home *home = homes;
	for (size_t length; (length = strlen(home->directory)); home++)
		if (strncmp(path, home->directory, length) == 0 && !strchr(path + length, '/'))
			break;
	return home;
}

/* The kernel writes space, tab, newline and backslash as \ooo. */
static void octal_unescape(char *text)
{
	char *to = text;
	for (const char *from = text; *from; to++) {
		if (from[0] == '\\' && from[1] && from[2] && from[3]) {
			*to = (char)((from[1] - '0') * 64 + (from[2] - '0') * 8 + (from[3] - '0'));
			from += 4;
		} else {
			*to = *from++;
		}
	}
	*to = '\0';
}

static char *fields_skip(char *line, int count)
{
	while (line && count--) {
		line = strchr(line, ' ');
		if (line)
			line++;
	}
	return line;
}

/* "ID PARENT MAJOR:MINOR net:[INODE] PATH ...". A path leads to a namespace's file only through a
 * mount, or through a symbolic link of /proc. */
static void mount_take(struct mounts *mounts, char *line)
{
	static const char begin[] = "net:[", end[] = "] ";
	char *path, *root = fields_skip(line, 3);
	if (!root || strncmp(root, begin, strlen(begin)) != 0)
		return;
	ino_t inode = strtoul(root + strlen(begin), &path, 10);
	if (strncmp(path, end, strlen(end)) != 0)
		return;
	path += strlen(end);
	path[strcspn(path, " ")] = '\0';
	octal_unescape(path);
	if (mounts->count == mounts->room) {
		mounts->room = mounts->room * 2 + 16;
		mounts->list = memory_or_die(
			reallocarray(mounts->list, mounts->room, sizeof(*mounts->list)));
	}
	mounts->list[mounts->count++] =
		(struct mount){.home = home_of(path), .inode = inode, .path = path};
}

static int mount_compare(const void *a, const void *b)
{
	const struct mount *left = a, *right = b;
	if (left->home != right->home)
		return left->home < right->home ? -1 : 1;
	return strcmp(left->path, right->path);
}

static void mount_visit(const struct mount *mount, netns_visit *visit, void *data)
{
	__attribute__((cleanup(arena_cleanup))) struct arena *arena = arena_new();
	const char *short_name = mount->path + strlen(mount->home->directory);
	const struct netns_place place = {
		.directory = AT_FDCWD,
		.path = mount->path,
		.inode = mount->inode,
		.name = arena_printf(arena, "%s%s", mount->home->prefix,
				     escape(arena, short_name, strlen(short_name))),
		.netns = mount->home->named ? short_name : mount->path};
	visit(&place, data);
}

static bool no_descriptor_left(void)
{
	return errno == EMFILE || errno == ENFILE;
}

static void mounts_scan(netns_visit *visit, void *data, struct netns_missed *missed)
{
	cleanup_free char *text = file_text("/proc/self/mountinfo");
	struct mounts mounts = {0};
	missed->mounts = !text;
	missed->no_descriptors |= !text && no_descriptor_left();
	for (char *rest = text, *line; (line = strsep(&rest, "\n"));)
		mount_take(&mounts, line);
	if (mounts.count)
		qsort(mounts.list, mounts.count, sizeof(*mounts.list), mount_compare);
	for (size_t i = 0; i < mounts.count; i++)
		mount_visit(&mounts.list[i], visit, data);
	free(mounts.list);
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

/* Linux 5.10 shows everybody in which namespace a process is, and refuses to open it. */
static void process_visit(int directory, const char *pid, struct process_scan *scan,
			  netns_visit *visit, void *data)
{
	struct stat stat;
	char path[300], name[300];
	snprintf(path, sizeof(path), "%s/ns/net", pid);
	if (fstatat(directory, path, &stat, 0) < 0) {
		if (errno == EACCES || errno == EPERM)
			process_add(&scan->denied, pid, 0);
		return;
	}
	snprintf(name, sizeof(name), "pid %s", pid);
	const struct netns_place place = {.directory = directory,
					  .path = path,
					  .inode = stat.st_ino,
					  .name = name,
					  .process = true};
	process_add(visit(&place, data) ? &scan->seen : &scan->denied, pid, stat.st_ino);
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

struct netns_missed netns_scan(netns_visit *visit, void *data)
{
	struct netns_missed missed = {0};
	mounts_scan(visit, data, &missed);
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
	static const char begin[] = "net:[";
	char target[64];
	ssize_t length = readlinkat(descriptors, number, target, sizeof(target) - 1);
	target[length > 0 ? length : 0] = '\0';
	if (strncmp(target, begin, strlen(begin)) == 0)
		return strtoul(target + strlen(begin), NULL, 10);
	return target[0] == '/' ? fdinfo_inode(descriptors, number) : 0;
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
