#include "reconcile/plan/selection.h"

#include <string.h>

struct selection selection_none(const struct plan *plan, struct arena *arena)
{
	const size_t room = plan->n_steps + 1;
	return (struct selection){.plan = plan,
				  .selected = arena_alloc(arena, room * sizeof(bool)),
				  .why = arena_alloc(arena, room * sizeof(const char *)),
				  .arena = arena};
}

struct selection selection_all(const struct plan *plan, struct arena *arena)
{
	struct selection selection = selection_none(plan, arena);
	for (size_t i = 0; i < plan->n_steps; i++)
		selection.selected[i] = step_acts(&plan->steps[i]);
	return selection;
}

struct selection selection_copy(const struct selection *selection, struct arena *arena)
{
	struct selection copy = selection_none(selection->plan, arena);
	for (size_t i = 0; i < selection->plan->n_steps; i++)
		copy.selected[i] = selection->selected[i];
	return copy;
}

bool containers_have(const struct containers *containers, const struct step *step)
{
	if (containers->attachment && containers->attachment != step->attachment)
		return false;
	for (size_t i = 0; step->container && i < containers->count; i++)
		if (containers->items[i] == step->container)
			return true;
	return false;
}

static void parent_select(struct selection *selection, const char *name)
{
	const struct plan *plan = selection->plan;
	for (size_t i = 0; i < plan->n_steps; i++)
		if (step_creates_parent(&plan->steps[i]) &&
		    strcmp(plan->steps[i].desired->name, name) == 0)
			selection->selected[i] = true;
}

/* From the end: in a plan, a parent comes before what is on it. */
static void parents_select(struct selection *selection)
{
	for (size_t i = selection->plan->n_steps; i-- > 0;) {
		const char *name = step_new_parent(&selection->plan->steps[i]);
		if (selection->selected[i] && name)
			parent_select(selection, name);
	}
}

/* The links that a container left in another namespace: its new ones have their addresses. */
static void strays_select(struct selection *selection, const struct step *step)
{
	const struct plan *plan = selection->plan;
	for (size_t i = 0; i < plan->n_steps; i++)
		if (plan->steps[i].action == ACTION_DELETE &&
		    owner_tag_equal(plan->steps[i].tag, step->tag))
			selection->selected[i] = true;
}

/* The files request them, whichever container is attached first. */
static void requested_select(struct selection *selection)
{
	const struct plan *plan = selection->plan;
	for (size_t i = 0; selection_count(selection) && i < plan->n_steps; i++)
		if (step_acts(&plan->steps[i]) && plan->steps[i].tag->role == ROLE_PARENT &&
		    !plan->steps[i].released)
			selection->selected[i] = true;
}

struct selection selection_of_containers(const struct plan *plan,
					 const struct containers *containers, struct arena *arena)
{
	struct selection selection = selection_none(plan, arena);
	for (size_t i = 0; i < plan->n_steps; i++)
		if (step_acts(&plan->steps[i]) && containers_have(containers, &plan->steps[i])) {
			selection.selected[i] = true;
			strays_select(&selection, &plan->steps[i]);
		}
	parents_select(&selection);
	requested_select(&selection);
	return selection;
}

bool selection_has(const struct selection *selection, const struct step *step)
{
	return selection->selected[step - selection->plan->steps];
}

size_t selection_count(const struct selection *selection)
{
	size_t count = 0;
	for (size_t i = 0; i < selection->plan->n_steps; i++)
		count += selection->selected[i];
	return count;
}

static bool step_chooses(const struct step *step)
{
	bool chooses = step->action == ACTION_CREATE || step->action == ACTION_REPLACE;
	for (size_t i = 0; step->action == ACTION_CHANGE && i < step->n_changes; i++)
		chooses |= step->changes[i].to && (step->changes[i].field == FIELD_ADDRESS ||
						   step->changes[i].field == FIELD_MAC);
	/* The kernel deletes all links on a parent with it. */
	return chooses || (step_deletes(step) && step_is_parent(step));
}

bool selection_chooses(const struct selection *selection)
{
	for (size_t i = 0; i < selection->plan->n_steps; i++)
		if (selection->selected[i] && step_chooses(&selection->plan->steps[i]))
			return true;
	return false;
}
