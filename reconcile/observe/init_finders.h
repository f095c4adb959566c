/* The programs of the host that name the first process of a container: LXC and Incus by the
 * monitor's socket, systemd by a unit's control group, systemd-machined by its state file. */
#ifndef RECONCILE_OBSERVE_INIT_FINDERS_H
#define RECONCILE_OBSERVE_INIT_FINDERS_H

#include "lib/arena.h"
#include "lib/error.h"
#include "schema/model.h"

#include <sys/types.h>

typedef void init_visit(void *data, const char *source);

struct init_finder {
	const char *what; /* for messages */
	const char *hint; /* if it is in the host's namespace */
	/* -ENOENT: it does not run. */
	pid_t (*find)(struct arena *arena, const char *source, struct error *error);
	/* Calls `visit` for each one that runs. */
	void (*list)(struct arena *arena, init_visit *visit, void *data);
	/* The command that starts it. */
	const char *(*start)(struct arena *arena, const char *source);
};

/* NULL: sources of the kind are not found so. */
const struct init_finder *init_finder(enum source_kind kind);

#endif
