#include "kernel/netns_mounts.h"

#include "lib/arena.h"
#include "lib/cleanup.h"
#include "lib/escape.h"
#include "lib/file_text.h"
#include "lib/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

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

/* The list under construction. */
struct mount_list {
	struct arena *arena;
	struct mount *items;
	size_t count;
};

static const struct home *home_of(const char *path)
{
	const struct home *home = homes;
	while (*home->directory && !netns_path_is_in(path, home->directory))
		home++;
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
static void mount_take(struct mount_list *mounts, char *line)
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
	*array_push(mounts->arena, mounts->items, mounts->count) =
		(struct mount){.home = home_of(path), .inode = inode, .path = path};
}

static int mount_compare(const void *a, const void *b)
{
	const struct mount *left = a, *right = b;
	if (left->home != right->home)
		return left->home < right->home ? -1 : 1;
	return strcmp(left->path, right->path);
}

static struct netns_place mount_place(struct arena *arena, const struct mount *mount)
{
	const size_t length = strlen(mount->home->directory);
	const char *path = arena_strdup(arena, mount->path), *short_name = path + length;
	const char *name = escape(arena, short_name, strlen(short_name));
	return (struct netns_place){
		.directory = AT_FDCWD,
		.path = path,
		.inode = mount->inode,
		.name = mount->home->prefix[0]
				? arena_printf(arena, "%s%s", mount->home->prefix, name)
				: name,
		.netns = mount->home->named ? short_name : path};
}

static struct netns_mounts *mounts_of(const struct mount_list *list)
{
	struct netns_mounts *mounts = memory_new(1, sizeof(*mounts));
	mounts->arena = arena_new();
	mounts->count = list->count;
	mounts->places = arena_alloc(mounts->arena, (list->count + 1) * sizeof(*mounts->places));
	for (size_t i = 0; i < list->count; i++)
		mounts->places[i] = mount_place(mounts->arena, &list->items[i]);
	return mounts;
}

struct netns_mounts *netns_mounts_read(int table)
{
	cleanup_free char *text = file_text_of(table);
	__attribute__((cleanup(arena_cleanup))) struct arena *arena = arena_new();
	struct mount_list list = {.arena = arena};
	if (!text)
		return NULL;
	for (char *rest = text, *line; (line = strsep(&rest, "\n"));)
		mount_take(&list, line);
	if (list.count)
		qsort(list.items, list.count, sizeof(*list.items), mount_compare);
	return mounts_of(&list);
}

int netns_mounts_open(void)
{
	const int table = open("/proc/self/mountinfo", O_RDONLY | O_CLOEXEC);
	return table < 0 ? -errno : table;
}

struct netns_mounts *netns_mounts_read_own(void)
{
	cleanup_close const int table = netns_mounts_open();
	return table < 0 ? NULL : netns_mounts_read(table);
}

void netns_mounts_free(struct netns_mounts *mounts)
{
	if (!mounts)
		return;
	arena_free(mounts->arena);
	free(mounts);
}
