/* Finds a container's network namespace by its source (name, path, process id, engine). */
#ifndef RECONCILE_OBSERVE_NETNS_LOOKUP_H
#define RECONCILE_OBSERVE_NETNS_LOOKUP_H

#include "reconcile/observe/lookup_result.h"

struct lookups; /* reconcile/observe/engine_lookup.h */

/* How people read where a container is: "web", "docker my-web", "pid 4711". */
const char *source_name(struct arena *arena, const struct container *container);

/* A namespace that was opened ahead. */
struct source_opened {
	int fd; /* negative: it was not */
	dev_t device;
	ino_t inode;
};

/* Opens the namespace of a container that names one in /run/netns, and no other; what goes wrong is
 * left to source_locate. Threads may do this side by side. */
struct source_opened source_open(const struct container *container, const struct stat *host);

/* Strings go to the arena, or are the container's. `host` is the namespace that never is one.
 * `opened`: what source_open gave, which is taken over; or NULL. Containers of engines are where
 * `lookups` has them: no engine is asked. */
struct lookup_result source_locate(struct arena *arena, struct lookups *lookups,
				   const struct container *container, const struct stat *host,
				   const struct source_opened *opened);

#endif
