/* Finds a container's network namespace by its source (name, path, process id, engine). */
#ifndef RECONCILE_OBSERVE_NETNS_LOOKUP_H
#define RECONCILE_OBSERVE_NETNS_LOOKUP_H

#include "reconcile/observe/lookup_result.h"

struct lookups; /* reconcile/observe/engine_lookup.h */

/* The displayed source of a container: "web", "docker my-web", "pid 4711". */
const char *source_name(struct arena *arena, const struct container *container);

/* A namespace that was opened in advance. */
struct source_opened {
	int fd; /* negative: not opened */
	dev_t device;
	ino_t inode;
};

/* Opens the namespace of a container that names one in /run/netns, and no other; source_locate
 * reports errors. Thread safe. */
struct source_opened source_open(const struct container *container, const struct stat *host);

/* Strings go to the arena, or belong to the container. `host` is the host's namespace, which is
 * refused. `opened`: the result of source_open, which is taken over; or NULL. Containers of engines
 * are taken from `lookups`; no engine is queried. */
struct lookup_result source_locate(struct arena *arena, struct lookups *lookups,
				   const struct container *container, const struct stat *host,
				   const struct source_opened *opened);

#endif
