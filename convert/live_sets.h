/* The live links with an owner tag, by set. */
#ifndef CONVERT_LIVE_SETS_H
#define CONVERT_LIVE_SETS_H

#include "reconcile/state/state.h"

/* Names of sets; none: all live ones. */
struct set_names {
	const char **items;
	size_t count;
};

struct set_link {
	const struct live_ns *ns;
	const struct live_link *link;
};

struct live_set {
	const char *name;
	struct set_link *links; /* in the order of namespaces and links */
	size_t n_links;
};

struct live_sets {
	struct live_set *items; /* by name */
	size_t count;
};

/* The sets among `names`, and the set `also` even if it has no live link; NULL: none. */
struct live_sets live_sets_find(const struct live *live, const struct set_names *names,
				const char *also, struct arena *arena);

#endif
