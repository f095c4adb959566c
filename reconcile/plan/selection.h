/* The steps of a plan that a run applies: a value beside the plan, which is const. Pure. */
#ifndef RECONCILE_PLAN_SELECTION_H
#define RECONCILE_PLAN_SELECTION_H

#include "reconcile/plan/step.h"

/* Points into the plan; its arrays have an element for each step. */
struct selection {
	const struct plan *plan;
	bool *selected;
	const char **why;    /* set by selection_defer: a sentence without a subject; else NULL */
	struct arena *arena; /* the arrays' arena; never the plan's */
};

/* All steps that act (step_acts). The arrays of all selections are in the arena. */
struct selection selection_all(const struct plan *plan, struct arena *arena);
struct selection selection_none(const struct plan *plan, struct arena *arena);
struct selection selection_copy(const struct selection *selection, struct arena *arena);

/* Some containers of the desired state that a plan was made for. */
struct containers {
	const struct container **items;
	size_t count;
	const struct attachment *attachment; /* this one alone; NULL: all of theirs */
};
/* The steps of these containers alone, and those that make parents for them. */
struct selection selection_of_containers(const struct plan *plan,
					 const struct containers *containers, struct arena *arena);
/* Whether the step is one of theirs. */
bool containers_have(const struct containers *containers, const struct step *step);

/* Defers steps that depend on steps which are left out already: a parent is not deleted while a
 * live link is on it that the run does not delete; an attachment whose new parent is not created is
 * not changed; a link whose replacement is not created is not deleted. `why` has a reason for these
 * only; it is in the arena. */
struct selection selection_defer(const struct selection *selection, const struct live *live,
				 struct arena *arena);

/* Whether the selection contains the step of the plan. */
bool selection_has(const struct selection *selection, const struct step *step);
size_t selection_count(const struct selection *selection);
/* Whether the step assigns an address or a MAC, which may be in use elsewhere. */
bool selection_chooses(const struct selection *selection);

#endif
