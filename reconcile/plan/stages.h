/* The order of the steps of a plan: each step in up to three stages, and the operations of each.
 * This is the only definition of the order: apply (reconcile/apply), the output as ip(8) commands
 * and the tests' model of the kernel use its list. Pure.
 *
 * Takes: a plan and which of its steps are selected. Gives: a list of stages with their steps. New
 * parents are created before links on the old ones are changed, and the parent of a replaced link
 * is deleted last: a link whose replacement fails can then be restored. */
#ifndef RECONCILE_PLAN_STAGES_H
#define RECONCILE_PLAN_STAGES_H

#include "reconcile/plan/operations.h"
#include "reconcile/plan/selection.h"

enum stage {
	STAGE_PARENT_REQUESTED,   /* other programs' links that networks need up */
	STAGE_PARENT_CREATE,      /* parents whose name is free, or that get a temporary one */
	STAGE_GIVE_UP,            /* removals from changed links, for which other steps may wait */
	STAGE_DELETE,             /* links that are deleted or replaced */
	STAGE_PARENT_DELETE,      /* parents of links that are deleted permanently */
	STAGE_CREATE_CHANGE,      /* new links, and additions to changed links */
	STAGE_PARENT_DELETE_LATE, /* parents of replaced links */
	STAGE_PARENT_RENAME,      /* parents that take the names of those */
	STAGE_PARENT_RELEASED,    /* other programs' links that no network needs any more */
	STAGE_LEASE,              /* requests for DHCP leases */
	N_STAGES,
};

struct stage_item {
	enum stage stage;
	const struct step *step;
	/* STAGE_PARENT_CREATE, STAGE_PARENT_RENAME: the parent has a temporary name until its own
	 * is free. If its own will not be free, there is no STAGE_PARENT_RENAME. */
	bool temporary;
};

struct stages {
	const struct stage_item *items; /* by stage, and in the order of the plan */
	size_t count;
	size_t from[N_STAGES + 1];   /* first item of each stage */
	const struct step **parents; /* the steps that create or change parents */
	size_t n_parents;
};

#define each_stage_item(item, stages, stage)                                                       \
	for (const struct stage_item *item = (stages)->items + (stages)->from[stage];              \
	     item < (stages)->items + (stages)->from[(stage) + 1]; item++)

/* `live` is the state that the plan was made from. In the arena. */
struct stages stages_of(struct arena *arena, const struct selection *selection,
			const struct live *live);

/* In the arena; they point into the step. */
struct operations stage_operations(struct arena *arena, const struct stage_item *item);

/* The step that creates or changes the parent of the link; NULL: none does. */
const struct step *stages_parent(const struct stages *stages, const struct link_spec *spec);

#endif
