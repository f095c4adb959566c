/* The order of the steps: deletions, then parents, then changes on them, then creations. A change
 * may release the name or the MAC that a new link or another changed link gets, whether the link is
 * a container's or the host's. */
#include "reconcile/plan/step_build.h"

enum phase {
	PHASE_DELETE,
	PHASE_PARENT_DELETE,
	PHASE_PARENT,
	PHASE_CHANGE,
	PHASE_NEW,
	PHASE_NEW_HOST,
	PHASE_REPORT,
};

static enum phase phase_of(const struct step *step)
{
	switch (step->action) {
	case ACTION_DELETE:
		return step_is_parent(step) ? PHASE_PARENT_DELETE : PHASE_DELETE;
	case ACTION_CHANGE:
		return step_is_parent(step) ? PHASE_PARENT : PHASE_CHANGE;
	case ACTION_CREATE:
	case ACTION_REPLACE:
		if (step_is_parent(step))
			return PHASE_PARENT;
		return step->tag->role == ROLE_HOST ? PHASE_NEW_HOST : PHASE_NEW;
	case ACTION_KEPT:
	case ACTION_PENDING:
	case ACTION_BLOCKED:
	case ACTION_REFUSED:
		break;
	}
	return PHASE_REPORT;
}

/* In place, as there may be many steps: computes each step's new position, and swaps it there. */
static void sort_by_phase(struct arena *scratch, struct steps *steps)
{
	uint32_t *places = arena_alloc(scratch, steps->count * sizeof(*places));
	uint32_t next = 0;
	for (enum phase phase = PHASE_DELETE; phase <= PHASE_REPORT; phase++)
		for (size_t i = 0; i < steps->count; i++)
			if (phase_of(&steps->items[i]) == phase)
				places[i] = next++;
	for (size_t i = 0; i < steps->count; i++)
		while (places[i] != i) {
			const uint32_t place = places[i];
			const struct step step = steps->items[i];
			steps->items[i] = steps->items[place];
			steps->items[place] = step;
			places[i] = places[place];
			places[place] = place;
		}
}

/* The steps that change links in place: a contiguous range of the sorted steps. */
static void changes_order(struct arena *scratch, struct steps *steps)
{
	size_t from = 0, end;
	while (from < steps->count && phase_of(&steps->items[from]) < PHASE_CHANGE)
		from++;
	for (end = from; end < steps->count && phase_of(&steps->items[end]) == PHASE_CHANGE; end++)
		;
	if (end > from)
		swap_cycles_break(scratch, steps->items + from, end - from);
}

void steps_order(const struct plan_input *input, struct steps *steps)
{
	sort_by_phase(input->scratch, steps);
	changes_order(input->scratch, steps);
}
