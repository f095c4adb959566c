/* How a container's network namespace is found. */
#ifndef RECONCILE_OBSERVE_NETNS_LOOKUP_H
#define RECONCILE_OBSERVE_NETNS_LOOKUP_H

#include "lib/error.h"
#include "reconcile/state/state.h"

#include <sys/stat.h>

/* What to do where the kernel says EPERM. */
#define HINT_CAPABILITIES                                                                          \
	"run mvapply as root, or with CAP_NET_ADMIN, CAP_SYS_ADMIN and CAP_NET_RAW"

struct lookups; /* reconcile/observe/engine_lookup.h */

struct lookup_result {
	enum target_state state;
	bool asked; /* pending: the engine has never answered yet */
	bool again; /* pending: to be asked again, though the engine may tell of nothing */
	int fd;     /* when ready: the caller's to close */
	struct stat stat;
	const char *name;          /* for people; when ready */
	const char *id;            /* the engine's, where it has such a container; else NULL */
	const char *note;          /* a sentence of warning, when ready; or NULL */
	enum code code;            /* otherwise, as in struct target */
	const char *reason, *hint; /* otherwise; hint may be NULL */
};

struct lookup_result lookup_result_failed(struct arena *arena, const struct error *error);
/* `reason` lives as long as the result is used. */
struct lookup_result lookup_result_pending(const char *reason);

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
 * `lookups` has them: nobody is asked. */
struct lookup_result source_locate(struct arena *arena, struct lookups *lookups,
				   const struct container *container, const struct stat *host,
				   const struct source_opened *opened);

#endif
