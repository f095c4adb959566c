/* Finds the namespace of an event by its nsid in the host's namespace. */
#ifndef CMD_WATCH_NSID_INDEX_H
#define CMD_WATCH_NSID_INDEX_H

#include "reconcile/state/state.h"

struct nsid_entry {
	int nsid;
	struct live_ns *ns;
};

struct nsid_index {
	struct nsid_entry *items; /* by number */
	size_t count;
};

/* The namespaces of `live` that have a number. A container can have thousands made, and each of
 * them report events without end: none takes a search through all of them. In the arena; valid
 * until live->namespaces changes. */
struct nsid_index nsid_index_make(const struct live *live, struct arena *arena);
/* NULL: no namespace has the number, or the one that had it has lost it since. */
struct live_ns *nsid_index_find(const struct nsid_index *index, int nsid);

#endif
