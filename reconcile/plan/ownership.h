/* Maps an owner tag to its container, and decides whether a tag is trusted.
 *
 * Takes: the desired state and where its containers were found. Gives: both, sorted for search. A
 * tag is trusted only on a link in the host's own namespace or in the namespace of the container
 * that it names. Any other tag is a claim by whoever controls the namespace: the link may be
 * deleted, but nothing is inherited from it. */
#ifndef RECONCILE_PLAN_OWNERSHIP_H
#define RECONCILE_PLAN_OWNERSHIP_H

#include "reconcile/plan/plan_input.h"

/* Where a tagged link is, compared with what its tag says. */
enum placement {
	PLACEMENT_OWN,     /* where it belongs */
	PLACEMENT_UNKNOWN, /* the files do not name the container, or it cannot be found now */
	PLACEMENT_STRAY,   /* in a namespace that is not that container's */
};

/* A container of the desired state. */
struct declared {
	const char *set;
	const struct container_lookup *lookup;
};

/* The namespace of a container that is there. */
struct home {
	const struct live_ns *ns;
	const struct set *set;
};

struct ownership {
	const struct declared *declared; /* sorted by set and container */
	size_t n_declared;
	const struct home *homes; /* sorted by namespace and set */
	size_t n_homes;
};

struct ownership ownership_make(const struct plan_input *input);

/* Whether a container of the desired state is in the namespace. */
bool is_home(const struct ownership *ownership, const struct live_ns *ns);
/* Whether a container of that set is. */
bool is_home_of(const struct ownership *ownership, const struct live_ns *ns, const struct set *set);
/* The container of the desired state that the tag names, or NULL. */
const struct container_lookup *declared_find(const struct ownership *ownership,
					     const struct owner_tag *tag);
enum placement placement_of(const struct ownership *ownership, const struct live_ns *ns,
			    const struct owner_tag *tag);

#endif
