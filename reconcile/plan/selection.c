#include "reconcile/plan/selection.h"

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
	/* The kernel takes along whatever is on a parent that leaves. */
	return chooses || (step_deletes(step) && step_is_parent(step));
}

bool selection_chooses(const struct selection *selection)
{
	for (size_t i = 0; i < selection->plan->n_steps; i++)
		if (selection->selected[i] && step_chooses(&selection->plan->steps[i]))
			return true;
	return false;
}
