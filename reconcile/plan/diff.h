/* The parts of link_diff (reconcile/plan/step_build.h): diff.c compares the link itself,
 * diff_addresses.c its addresses, diff_routes.c its routes and rules. */
#ifndef RECONCILE_PLAN_DIFF_H
#define RECONCILE_PLAN_DIFF_H

#include "reconcile/plan/step_build.h"

/* Grows as needed. */
struct changes {
	struct arena *arena;
	struct change *items;
	size_t count;
};

/* NULL: there was, or will be, none. The texts belong to the arena. */
struct change *changes_add(struct changes *changes, enum field field, const char *from,
			   const char *to);

void diff_addrs(const struct plan_input *input, const struct step *step, struct changes *changes);
/* The addresses that have to be the primary ones of their subnets. */
void diff_primaries(const struct plan_input *input, const struct step *step,
		    struct changes *changes);
void diff_routes(const struct step *step, struct changes *changes);
/* The routes and rules of policy routing. */
void diff_policy(const struct step *step, struct changes *changes);

#endif
