/* Finds the namespace of an event by its nsid in the host's namespace. */
#ifndef CMD_WATCH_NSID_INDEX_H
#define CMD_WATCH_NSID_INDEX_H

#include "reconcile/state/state.h"

struct nsid_entry {
	int nsid;
	struct live_ns *ns;
};

struct nsid_index {
	struct nsid_entry *items; /* by nsid */
	size_t count;
};

/* The namespaces of `live` that have an nsid. A container can create thousands of them, and each
 * can report events without end, so a lookup must not be a linear search. In the arena; valid until
 * live->namespaces changes. */
struct nsid_index nsid_index_make(const struct live *live, struct arena *arena);
/* NULL: no namespace has the nsid, or it has lost it since. */
struct live_ns *nsid_index_find(const struct nsid_index *index, int nsid);

#endif
