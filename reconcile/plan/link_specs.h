/* The specification of each planned attachment's link.
 *
 * Takes: the results of all assignments, and what the conflicts left of them. Gives: a
 * specification for each attachment, including those that cannot be created. The host's own links
 * get a route to each container of their network that can be created. */
#ifndef RECONCILE_PLAN_LINK_SPECS_H
#define RECONCILE_PLAN_LINK_SPECS_H

#include "reconcile/plan/conflict.h"

struct link_specs {
	struct link_spec *const *specs; /* by planned_attachment.number */
};

/* Adds warnings about containers that the host cannot reach. */
struct link_specs link_specs_make(const struct assigned *assigned,
				  const struct conflicts *conflicts);

#endif
