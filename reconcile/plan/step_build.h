/* Builds steps, for the plan (plan.c) and for the rollback (rollback_plan.c). */
#ifndef RECONCILE_PLAN_STEP_BUILD_H
#define RECONCILE_PLAN_STEP_BUILD_H

#include "reconcile/plan/plan_input.h"

/* The steps of a plan under construction. */
struct steps {
	struct arena *arena;
	struct step *items;
	size_t count;
};

/* A step at the end; the pointer is valid until the next step is added. */
struct step *step_add(struct steps *steps, enum action action, const struct owner_tag *tag);
/* A step that turns `current` into `desired`, or none (NULL) if they are equal. */
const struct step *step_diff(const struct plan_input *input, struct steps *steps, struct step step);

/* diff.c: sets the changes from step->current to step->desired, possibly none. True if all of them
 * can be made in place. */
bool link_diff(const struct plan_input *input, struct step *step);

typedef bool link_is_deleted(const void *data, const struct live_link *link);
/* The first remaining link on the parent, or NULL: "eth0 in web". */
const char *parent_user(const struct plan_input *input, const struct live_link *parent,
			link_is_deleted *is_deleted, const void *data);

/* renumbered.c: replaces many renumbered attachments instead of changing them in place. */
void renumbered_replace(struct steps *steps);

/* order.c */
void steps_order(const struct plan_input *input, struct steps *steps);
/* swap_cycles.c: orders steps that change links in place, and sets their `temporary`. */
void swap_cycles_break(struct arena *scratch, struct step *steps, size_t count);

#endif
