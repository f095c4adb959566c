/* Which steps of a plan have to be left out because others are. Pure. */
#ifndef RECONCILE_PLAN_DEFER_H
#define RECONCILE_PLAN_DEFER_H

#include "reconcile/plan/plan.h"

struct deferral {
	bool left;       /* the step is not done */
	const char *why; /* it is left out here: a sentence without a subject; else NULL */
};

/* `deferrals` has an element for each step, of which those are left that the caller does not do.
 * Leaves out what must not be done without them: a parent is not deleted while a live link is on it
 * that the plan does not delete; an attachment is not touched whose new parent is not made; a link
 * is not deleted whose replacement is not made. The sentences are in the arena. */
void plan_defer(const struct plan *plan, const struct live *live, struct deferral *deferrals,
		struct arena *arena);

/* Holds the steps that must not be done because of those that are held already. */
void plan_hold(struct plan *plan, const struct live *live);

/* Whether doing the step deletes its live link. */
bool step_deletes(const struct step *step);

/* Whether the plan gives a link an address or a MAC, which others may have. */
bool plan_chooses(const struct plan *plan);

#endif
