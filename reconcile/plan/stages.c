#include "reconcile/plan/stages.h"

#include "kernel/link_kind.h"
#include "lib/hashmap.h"
#include "reconcile/plan/dhcp.h"

#include <string.h>

/* The list under construction. */
struct stager {
	struct arena *arena;
	const struct plan *plan;
	const struct selection *selection;
	const struct live *live;
	struct index *by_link;   /* const struct step, by its live link */
	struct index *by_parent; /* const struct step that deletes a parent, by its ifindex */
	bool *late;              /* by step: the parent is deleted late */
	struct stage_item *items;
	struct stages stages;
};

static size_t number_of(const struct stager *stager, const struct step *step)
{
	return (size_t)(step - stager->plan->steps);
}

static bool deletes_parent(const struct step *step)
{
	return step->action == ACTION_DELETE && step_is_parent(step);
}

static void steps_index(struct stager *stager)
{
	for (size_t i = 0; i < stager->plan->n_steps; i++) {
		const struct step *step = &stager->plan->steps[i];
		if (!step->current)
			continue;
		(void)index_put(stager->by_link, &step->current, sizeof(step->current),
				(void *)(uintptr_t)step);
		if (deletes_parent(step))
			(void)index_put(stager->by_parent, &step->current->ifindex,
					sizeof(step->current->ifindex), (void *)(uintptr_t)step);
	}
}

/* The step that deletes the parent of the step's live link, or NULL. */
static const struct step *parent_deletion(const struct stager *stager, const struct step *step)
{
	return step->current->parent_where == PARENT_HOST
		       ? index_get(stager->by_parent, &step->current->parent,
				   sizeof(step->current->parent))
		       : NULL;
}

/* Whether the step's live link may have to be restored on its parent. */
static bool makes_room(const struct step *step)
{
	return step->action == ACTION_REPLACE ||
	       (step->action == ACTION_DELETE && step->replaced_by);
}

/* A nested VLAN keeps its lower VLAN. */
static void late_find(struct stager *stager)
{
	for (size_t i = 0; i < stager->plan->n_steps; i++) {
		const struct step *step = &stager->plan->steps[i];
		if (!step->current || !makes_room(step))
			continue;
		while ((step = parent_deletion(stager, step)) &&
		       !stager->late[number_of(stager, step)])
			stager->late[number_of(stager, step)] = true;
	}
}

/* When the name of a new parent becomes free. */
enum name_free { NAME_FREE_NOW, NAME_FREE_AFTER_DELETE, NAME_FREE_LATE, NAME_FREE_NEVER };

static bool is_renamed(const struct step *step)
{
	return step->action == ACTION_CHANGE &&
	       strcmp(step->current->name, step->desired->name) != 0;
}

static enum name_free name_free(const struct stager *stager, const struct step *step)
{
	const struct live_link *holder =
		live_link_by_name(stager->live->namespaces[0], step->desired->name);
	if (!holder || holder == step->current)
		return NAME_FREE_NOW;
	const struct step *holder_step = index_get(stager->by_link, &holder, sizeof(holder));
	if (!holder_step || !selection_has(stager->selection, holder_step))
		return NAME_FREE_NEVER;
	if (step_deletes(holder_step))
		return stager->late[number_of(stager, holder_step)] ? NAME_FREE_LATE
								    : NAME_FREE_AFTER_DELETE;
	return is_renamed(holder_step) ? NAME_FREE_LATE : NAME_FREE_NEVER;
}

static bool renames_late(const struct stager *stager, const struct step *step)
{
	return step_is_parent(step) && is_renamed(step) &&
	       name_free(stager, step) == NAME_FREE_LATE;
}

static bool creates_early(const struct stager *stager, const struct step *step)
{
	return step_creates_parent(step) && name_free(stager, step) != NAME_FREE_AFTER_DELETE;
}

static bool creates_temporary(const struct stager *stager, const struct step *step)
{
	return creates_early(stager, step) && name_free(stager, step) != NAME_FREE_NOW;
}

static bool is_late(const struct stager *stager, const struct step *step)
{
	return stager->late[number_of(stager, step)];
}

static bool in_stage(const struct stager *stager, const struct step *step, enum stage stage)
{
	if (step->tag->role == ROLE_PARENT)
		return stage == (step->released ? STAGE_PARENT_RELEASED : STAGE_PARENT_REQUESTED);
	switch (stage) {
	case STAGE_PARENT_CREATE:
		return creates_early(stager, step);
	case STAGE_GIVE_UP:
		return step->action == ACTION_CHANGE;
	case STAGE_DELETE:
		return step_deletes(step) && !step_is_parent(step);
	case STAGE_PARENT_DELETE:
		return step_deletes(step) && step_is_parent(step) && !is_late(stager, step);
	case STAGE_CREATE_CHANGE:
		return step->action != ACTION_DELETE && !creates_early(stager, step) &&
		       !renames_late(stager, step);
	case STAGE_PARENT_DELETE_LATE:
		return is_late(stager, step);
	case STAGE_PARENT_RENAME:
		return renames_late(stager, step) || (creates_temporary(stager, step) &&
						      name_free(stager, step) == NAME_FREE_LATE);
	case STAGE_LEASE:
		return step_leases(step);
	case STAGE_PARENT_REQUESTED:
	case STAGE_PARENT_RELEASED:
	case N_STAGES:
		break;
	}
	return false;
}

static void stage_add(struct stager *stager, enum stage stage)
{
	stager->stages.from[stage] = stager->stages.count;
	for (size_t i = 0; i < stager->plan->n_steps; i++) {
		const struct step *step = &stager->plan->steps[i];
		if (stager->selection->selected[i] && in_stage(stager, step, stage))
			*array_push(stager->arena, stager->items, stager->stages.count) =
				(struct stage_item){.stage = stage,
						    .step = step,
						    .temporary = creates_temporary(stager, step)};
	}
}

static void parents_list(struct stager *stager)
{
	for (size_t i = 0; i < stager->plan->n_steps; i++) {
		const struct step *step = &stager->plan->steps[i];
		if (step_is_parent(step) && step_acts(step) && step->desired)
			*array_push(stager->arena, stager->stages.parents,
				    stager->stages.n_parents) = step;
	}
}

struct stages stages_of(struct arena *arena, const struct selection *selection,
			const struct live *live)
{
	const struct plan *plan = selection->plan;
	struct index *by_link __attribute__((cleanup(index_cleanup))) = index_new(plan->n_steps);
	struct index *by_parent __attribute__((cleanup(index_cleanup))) = index_new(0);
	struct stager stager = {.arena = arena,
				.plan = plan,
				.selection = selection,
				.live = live,
				.by_link = by_link,
				.by_parent = by_parent,
				.late = arena_alloc(arena, plan->n_steps + 1)};
	steps_index(&stager);
	late_find(&stager);
	parents_list(&stager);
	for (enum stage stage = 0; stage < N_STAGES; stage++)
		stage_add(&stager, stage);
	stager.stages.from[N_STAGES] = stager.stages.count;
	stager.stages.items = stager.items;
	return stager.stages;
}

const struct step *stages_parent(const struct stages *stages, const struct link_spec *spec)
{
	for (size_t i = 0; spec->parent_name && i < stages->n_parents; i++) {
		const struct step *step = stages->parents[i];
		const bool same = spec->parent
					  ? step->current && step->current->ifindex == spec->parent
					  : strcmp(step->desired->name, spec->parent_name) == 0;
		if (same)
			return step;
	}
	return NULL;
}

static void operation_add(struct arena *arena, struct operations *operations,
			  struct operation operation)
{
	*array_push(arena, operations->all, operations->count) = operation;
}

static struct operations delete_operations(struct arena *arena, const struct step *step)
{
	struct operations operations = policy_operations(arena, step->stale_policy);
	operation_add(arena, &operations, (struct operation){.type = OP_LINK_DELETE});
	return operations;
}

static struct operations lease_operations(struct arena *arena)
{
	struct operations operations = {0};
	operation_add(arena, &operations, (struct operation){.type = OP_LEASE});
	return operations;
}

/* The rename of a parent that was created under a temporary name. */
static struct operations rename_operations(struct arena *arena, const struct link_spec *spec)
{
	struct operations operations = {0};
	operation_add(arena, &operations,
		      (struct operation){.type = OP_LINK_RENAME, .name = spec->name});
	operation_add(arena, &operations, (struct operation){.type = OP_RESTORE});
	return operations;
}

struct operations stage_operations(struct arena *arena, const struct stage_item *item)
{
	const struct step *step = item->step;
	switch (item->stage) {
	case STAGE_PARENT_REQUESTED:
	case STAGE_PARENT_RELEASED:
		return requested_operations(arena, step);
	case STAGE_PARENT_CREATE:
		return create_operations(arena, step->desired);
	case STAGE_GIVE_UP:
		return give_up_operations(arena, step);
	case STAGE_DELETE:
	case STAGE_PARENT_DELETE:
	case STAGE_PARENT_DELETE_LATE:
		return delete_operations(arena, step);
	case STAGE_CREATE_CHANGE:
		return step->action == ACTION_CHANGE ? change_operations(arena, step)
						     : create_operations(arena, step->desired);
	case STAGE_PARENT_RENAME:
		return item->temporary ? rename_operations(arena, step->desired)
				       : change_operations(arena, step);
	case STAGE_LEASE:
		return lease_operations(arena);
	case N_STAGES:
		break;
	}
	return (struct operations){0};
}
