/* Finds by which source (name, path, process id, engine, ...) a file can name an observed
 * namespace. */
#ifndef RECONCILE_OBSERVE_NETNS_OWNER_H
#define RECONCILE_OBSERVE_NETNS_OWNER_H

#include "reconcile/state/state.h"

struct origin {
	const char *netns; /* a name in /run/netns, or a path; or NULL */
	enum source_kind owner_kind;
	const char *owner; /* the running container of an engine or of another program, or NULL */
	const char *pid;   /* a process in it, or NULL */
};

/* One for each of live->namespaces, in `arena`. Queries the running engines, LXC, Incus and systemd
 * if there is a namespace other than the host's. */
struct origin *origins_find(const struct live *live, struct arena *arena);

/* Finds the source for a container called `name`: the namespace's name if it is the same, then the
 * engine's or another program's container, then a name or path, then a process. False: there is
 * none. */
bool origin_source(const struct origin *origin, const char *name, enum source_kind *ret_kind,
		   const char **ret_source);

#endif
