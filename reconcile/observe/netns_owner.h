/* Finds by which source (name, path, process id, engine) a file can name an observed namespace. */
#ifndef RECONCILE_OBSERVE_NETNS_OWNER_H
#define RECONCILE_OBSERVE_NETNS_OWNER_H

#include "reconcile/state/state.h"

struct origin {
	const char *netns; /* a name in /run/netns, or else a path; or NULL */
	enum source_kind engine_kind;
	const char *engine; /* the running container that it belongs to, or NULL */
	const char *pid;    /* of a process in it, or NULL */
};

/* One for each of live->spaces, in `arena`. Asks the engines that run here, if a namespace but the
 * host's is among them. */
struct origin *origins_find(const struct live *live, struct arena *arena);

/* The words for a container called `name`: its own name if the namespace has it, then the engine's,
 * then a name or path, then a process. False: there are none. */
bool origin_source(const struct origin *origin, const char *name, enum source_kind *ret_kind,
		   const char **ret_source);

#endif
