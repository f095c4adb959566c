/* Maps an owner tag to its container, and decides whether a tag is trusted.
 *
 * Takes: the desired state and where its containers were found. Gives: both, sorted for search. A
 * tag is trusted only on a link in the host's own namespace or in the namespace of the container
 * that it names. Any other tag is a claim by whoever controls the namespace: the link may be
 * deleted, but nothing is inherited from it. */
#ifndef RECONCILE_PLAN_OWNERSHIP_H
#define RECONCILE_PLAN_OWNERSHIP_H

#include "reconcile/plan/plan_input.h"

/* The relation between a tagged link's namespace and its tag. */
enum placement {
	PLACEMENT_OWN,     /* in the container's namespace */
	PLACEMENT_UNKNOWN, /* the files do not declare the container, or it cannot be found now */
	PLACEMENT_STRAY,   /* in another namespace than the container's */
};

/* A container of the desired state. */
struct declared {
	const char *set;
	const struct container_lookup *lookup;
};

/* The namespace of a container that has one. */
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
/* Whether a container of that set is in the namespace. */
bool is_home_of(const struct ownership *ownership, const struct live_ns *ns, const struct set *set);
/* The container of the desired state that the tag names, or NULL. */
const struct container_lookup *declared_find(const struct ownership *ownership,
					     const struct owner_tag *tag);
enum placement placement_of(const struct ownership *ownership, const struct live_ns *ns,
			    const struct owner_tag *tag);

#endif
