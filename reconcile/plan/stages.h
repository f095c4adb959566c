/* The order in which the steps of a plan are done: each step in up to three stages, and the
 * operations of each. The one place that says so: what executes a plan (reconcile/apply), what
 * prints it as commands of ip(8) and the tests' model of the kernel go through its list. Pure.
 *
 * Takes: a plan and which of its steps are done. Gives: a list of stages with their steps. New
 * parents are made before anything that is on the old ones is touched, and a parent under a link
 * that is replaced leaves last: a link whose replacement fails can then be put back. */
#ifndef RECONCILE_PLAN_STAGES_H
#define RECONCILE_PLAN_STAGES_H

#include "reconcile/plan/operations.h"
#include "reconcile/plan/selection.h"

enum stage {
	STAGE_PARENT_CREATE,      /* parents whose name is free, or that get a temporary one */
	STAGE_GIVE_UP,            /* what changed links lose, and others may wait for */
	STAGE_DELETE,             /* links that leave or are replaced */
	STAGE_PARENT_DELETE,      /* parents under links that leave for good */
	STAGE_CREATE_CHANGE,      /* what is created, and what changed links get */
	STAGE_PARENT_DELETE_LATE, /* parents under links that are replaced */
	STAGE_PARENT_RENAME,      /* parents that take the names of those */
	STAGE_LEASE,              /* DHCP leases are requested */
	N_STAGES,
};

struct stage_item {
	enum stage stage;
	const struct step *step;
	/* STAGE_PARENT_CREATE, STAGE_PARENT_RENAME: the parent has a temporary name until its own
	 * is free. Where its own will not be free, there is no STAGE_PARENT_RENAME. */
	bool temporary;
};

struct stages {
	const struct stage_item *items; /* by stage, and in the order of the plan */
	size_t count;
	size_t from[N_STAGES + 1];   /* where the items of a stage begin */
	const struct step **parents; /* the steps that make or change parents */
	size_t n_parents;
};

#define each_stage_item(item, stages, stage)                                                       \
	for (const struct stage_item *item = (stages)->items + (stages)->from[stage];              \
	     item < (stages)->items + (stages)->from[(stage) + 1]; item++)

/* `live` is what the plan was made from. In the arena. */
struct stages stages_of(struct arena *arena, const struct selection *selection,
			const struct live *live);

/* In the arena; they point into the step. */
struct operations stage_operations(struct arena *arena, const struct stage_item *item);

/* The step that makes or changes the parent which the link is to be on; NULL: none does. */
const struct step *stages_parent(const struct stages *stages, const struct link_spec *spec);

#endif
