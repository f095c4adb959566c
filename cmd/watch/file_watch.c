#include "cmd/watch/file_watch.h"

#include "lib/cleanup.h"
#include "lib/memory.h"
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdalign.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

/* The kernel's own limit (MAXSYMLINKS). */
#define LINKS_MAX 40

/* Events of a folder that contains a watched file. */
#define MASK_CONTENT                                                                               \
	(IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO | IN_CLOSE_WRITE | IN_MODIFY |        \
	 IN_ATTRIB | IN_MOVE_SELF | IN_DELETE_SELF)
/* Events of its parent folders: only whether they are removed, or become readable. */
#define MASK_SELF (IN_MOVE_SELF | IN_DELETE_SELF | IN_ATTRIB)

/* A watched folder, and the relevant names in it. */
struct place {
	int wd;
	char *name; /* NULL: everything */
};

struct paths {
	const char *const *paths;
	size_t count;
	int inotify;
	struct place *places;
	size_t n_places;
};

struct paths *paths_new(const char *const *names, size_t count, struct error *error)
{
	struct paths *paths = memory_new(1, sizeof(*paths));
	*paths = (struct paths){
		.paths = names, .count = count, .inotify = inotify_init1(IN_CLOEXEC | IN_NONBLOCK)};
	if (paths->inotify >= 0) {
		paths_arm(paths);
		return paths;
	}
	error_set(error, errno, "cannot watch the files: inotify: %s", strerror(errno));
	paths_free(paths);
	return NULL;
}

static void places_free(struct place *places, size_t count)
{
	for (size_t i = 0; i < count; i++)
		free(places[i].name);
	free(places);
}

void paths_free(struct paths *paths)
{
	if (!paths)
		return;
	places_free(paths->places, paths->n_places);
	if (paths->inotify >= 0)
		close(paths->inotify);
	free(paths);
}

int paths_fd(const struct paths *paths)
{
	return paths->inotify;
}

static void place_add(struct paths *paths, int wd, const char *name)
{
	paths->places = memory_or_die(
		reallocarray(paths->places, paths->n_places + 1, sizeof(*paths->places)));
	char *copy = name ? memory_or_die(strdup(name)) : NULL;
	paths->places[paths->n_places++] = (struct place){.wd = wd, .name = copy};
}

/* `name`: the relevant name in the folder, NULL: all. */
static void folder_watch(struct paths *paths, const char *folder, uint32_t mask, const char *name)
{
	int wd = inotify_add_watch(paths->inotify, *folder ? folder : "/",
				   mask | IN_ONLYDIR | IN_MASK_ADD);
	if (wd >= 0)
		place_add(paths, wd, name);
}

static bool event_matters(const struct paths *paths, const struct inotify_event *event)
{
	if (event->mask & (IN_Q_OVERFLOW | IN_MOVE_SELF | IN_DELETE_SELF | IN_UNMOUNT))
		return true;
	for (size_t i = 0; i < paths->n_places; i++) {
		const struct place *place = &paths->places[i];
		if (place->wd == event->wd &&
		    (!place->name ||
		     (event->len > strlen(place->name) && strcmp(place->name, event->name) == 0)))
			return true;
	}
	return false;
}

/* Handles the events of one read(2). An incomplete or unknown event counts as relevant: then
 * everything is read again. */
static bool events_matter(const struct paths *paths, const char *bytes, size_t left)
{
	bool matters = false;
	while (left > 0) {
		const struct inotify_event *event = (const void *)bytes;
		if (left < sizeof(*event) || left - sizeof(*event) < event->len ||
		    event->len % alignof(struct inotify_event) != 0)
			return true;
		matters |= event_matters(paths, event);
		bytes += sizeof(*event) + event->len;
		left -= sizeof(*event) + event->len;
	}
	return matters;
}

bool paths_touched(struct paths *paths)
{
	alignas(struct inotify_event) char bytes[4096];
	bool touched = false;
	for (ssize_t size; (size = read(paths->inotify, bytes, sizeof(bytes))) > 0;)
		touched |= events_matter(paths, bytes, (size_t)size);
	return touched;
}

/* The rest of the path, from `done` on, which is an existing folder. */
struct walk {
	char done[PATH_MAX]; /* without the last slash: "" is the root */
	char rest[PATH_MAX];
	unsigned links;
	bool found_in_folder; /* reached by a link in a folder; the path itself was not given */
};

/* Removes the next name from `rest`; false at the end. */
static bool name_take(struct walk *walk, char name[NAME_MAX + 1])
{
	char *start = walk->rest + strspn(walk->rest, "/");
	size_t length = strcspn(start, "/");
	if (length == 0 || length > NAME_MAX)
		return false;
	memcpy(name, start, length);
	name[length] = '\0';
	memmove(walk->rest, start + length, strlen(start + length) + 1);
	return true;
}

static bool is_last(const struct walk *walk)
{
	return walk->rest[strspn(walk->rest, "/")] == '\0';
}

/* Inserts the link's target before the rest of the path. */
static bool link_follow(struct walk *walk, const char *path)
{
	char target[PATH_MAX], rest[PATH_MAX];
	ssize_t length = readlink(path, target, sizeof(target) - 1);
	if (length < 0 || ++walk->links > LINKS_MAX)
		return false;
	target[length] = '\0';
	if (target[0] == '/')
		walk->done[0] = '\0';
	if (snprintf(rest, sizeof(rest), "%s/%s", target, walk->rest) >= (int)sizeof(rest))
		return false;
	memcpy(walk->rest, rest, sizeof(rest));
	return true;
}

static void path_watch(struct paths *paths, const char *path, bool found_in_folder);

/* Links in the folder of a link's target are not followed: they could form cycles. */
static void folder_links_watch(struct paths *paths, const char *folder)
{
	cleanup_closedir DIR *entries = opendir(folder);
	if (!entries)
		return;
	for (struct dirent *entry; (entry = readdir(entries));) {
		char path[PATH_MAX], target[1];
		if (readlinkat(dirfd(entries), entry->d_name, target, sizeof(target)) >= 0 &&
		    snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name) <
			    (int)sizeof(path))
			path_watch(paths, path, true);
	}
}

static void folder_content_watch(struct paths *paths, const struct walk *walk, const char *folder)
{
	folder_watch(paths, folder, MASK_CONTENT, NULL);
	if (!walk->found_in_folder)
		folder_links_watch(paths, folder);
}

/* Advances by one name; false: the path is complete, or the name is not there, or is no folder. */
static bool walk_step(struct paths *paths, struct walk *walk)
{
	char name[NAME_MAX + 1], path[PATH_MAX];
	struct stat stat;
	if (!name_take(walk, name))
		return false;
	if (snprintf(path, sizeof(path), "%s/%s", walk->done, name) >= (int)sizeof(path))
		return false;
	bool found = lstat(path, &stat) == 0;
	if (found && S_ISLNK(stat.st_mode)) {
		folder_watch(paths, walk->done, MASK_CONTENT, name);
		return link_follow(walk, path);
	}
	const bool folder = found && S_ISDIR(stat.st_mode);
	if (!folder || is_last(walk)) {
		folder_watch(paths, walk->done, MASK_CONTENT, name);
		if (folder)
			folder_content_watch(paths, walk, path);
		return false;
	}
	folder_watch(paths, walk->done, MASK_SELF, name);
	memcpy(walk->done, path, sizeof(path));
	return true;
}

static void path_watch(struct paths *paths, const char *path, bool found_in_folder)
{
	struct walk walk = {.found_in_folder = found_in_folder};
	if (path[0] != '/' && !getcwd(walk.rest, sizeof(walk.rest)))
		return;
	size_t used = strlen(walk.rest);
	if (snprintf(walk.rest + used, sizeof(walk.rest) - used, "/%s", path) >=
	    (int)(sizeof(walk.rest) - used))
		return;
	while (walk_step(paths, &walk))
		;
}

static bool is_watched(const struct paths *paths, int wd)
{
	for (size_t i = 0; i < paths->n_places; i++)
		if (paths->places[i].wd == wd)
			return true;
	return false;
}

/* The descriptor stays open: closing it waits for an SRCU grace period (fsnotify_destroy_group). */
static void paths_watch(struct paths *paths, size_t needed)
{
	struct place *before = paths->places;
	const size_t count = paths->n_places;
	paths->places = NULL;
	paths->n_places = 0;
	for (size_t i = 0; i < needed; i++)
		path_watch(paths, paths->paths[i], false);
	for (size_t i = 0; i < count; i++)
		if (!is_watched(paths, before[i].wd))
			(void)inotify_rm_watch(paths->inotify, before[i].wd);
	places_free(before, count);
}

void paths_arm(struct paths *paths)
{
	paths_watch(paths, paths->count);
}

void paths_disarm(struct paths *paths)
{
	paths_watch(paths, 0);
}
