/* Making parents before anything that hangs on them is touched, and deleting them after. */
#include "reconcile/defer.h"
#include "reconcile/making.h"

#include <string.h>

bool step_makes_parent(const struct step *step)
{
	return step->action == ACTION_CREATE && step_is_parent(step);
}

/* By which parents.c knows it again. */
static const char *temporary_name(struct arena *arena, int ifindex)
{
	return arena_printf(arena, TEMPORARY_PREFIX "%08x", (unsigned)ifindex);
}

static void temporary_make(struct applier *applier, size_t number)
{
	struct link_spec spec = *applier->plan->steps[number].want;
	struct temporary temporary = {.step = number, .name = spec.name};
	const int ifindex = ifindex_choose(applier, &spec);
	spec.name = temporary_name(applier->arena, ifindex);
	temporary.ifindex = create_one(applier, &spec, ifindex, &applier->outcomes[number]);
	if (temporary.ifindex)
		*array_push(applier->arena, applier->temporaries, applier->n_temporaries) =
			temporary;
}

int temporary_parent(const struct applier *applier, const char *name)
{
	for (size_t i = 0; i < applier->n_temporaries; i++)
		if (strcmp(applier->temporaries[i].name, name) == 0)
			return applier->temporaries[i].ifindex;
	return 0;
}

/* Whether something waits for the parent already; a link whose name leaves early can wait. */
void parents_make(struct applier *applier)
{
	for (size_t i = 0; i < applier->plan->n_steps; i++) {
		struct step *step = &applier->plan->steps[i];
		if (!step_acts(step) || !step_makes_parent(step))
			continue;
		const struct live_link *holder = live_link_by_name(applier->host, step->want->name);
		if (holder && !parent_leaves_late(applier, holder))
			continue;
		if (holder)
			temporary_make(applier, i);
		else
			creates_do(applier, i, i + 1);
		if (applier->outcomes[i].state == OUTCOME_NOT_DONE)
			applier->outcomes[i].state = OUTCOME_DONE;
		step->held = true;
		steps_count(applier, 1);
	}
}

static void step_defer(struct applier *applier, size_t number, const char *why)
{
	struct step *step = &applier->plan->steps[number];
	struct outcome *outcome = &applier->outcomes[number];
	struct error error;
	step->held = true;
	steps_count(applier, 1);
	if (step->action == ACTION_DELETE || step_is_parent(step)) {
		outcome_defer(outcome, arena_printf(applier->plan->arena, "kept: %s", why));
		return;
	}
	error_set(&error, 0, "%s: %s", step->have ? "left as it is" : "not made", why);
	outcome_fail(outcome, &error);
}

void steps_defer(struct applier *applier)
{
	struct plan *plan = applier->plan;
	struct deferral *deferrals =
		arena_alloc(applier->arena, (plan->n_steps + 1) * sizeof(*deferrals));
	for (size_t i = 0; i < plan->n_steps; i++) {
		const int state = (int)applier->outcomes[i].state;
		deferrals[i].left = state == OUTCOME_FAILED ||
				    (state != OUTCOME_DONE && !step_acts(&plan->steps[i]));
		plan->steps[i].held |= state == OUTCOME_FAILED;
	}
	plan_defer(plan, applier->live, deferrals, applier->arena);
	for (size_t i = 0; i < plan->n_steps; i++)
		if (deferrals[i].why)
			step_defer(applier, i, deferrals[i].why);
}

bool renames_late(const struct applier *applier, const struct step *step)
{
	if (step->action != ACTION_CHANGE || !step_is_parent(step) ||
	    strcmp(step->have->name, step->want->name) == 0)
		return false;
	const struct live_link *holder = live_link_by_name(applier->host, step->want->name);
	return holder && parent_leaves_late(applier, holder);
}

static void late_renames_do(struct applier *applier)
{
	for (size_t i = 0; i < applier->plan->n_steps; i++) {
		const struct step *step = &applier->plan->steps[i];
		if (!step_acts(step) || !renames_late(applier, step))
			continue;
		const struct live_link *holder = live_link_by_name(applier->host, step->want->name);
		if (link_deleted(applier, holder))
			changes_do(applier, i);
		else
			outcome_defer(&applier->outcomes[i],
				      arena_printf(applier->plan->arena,
						   "called %s while the other %s is there",
						   step->have->name, holder->name));
	}
}

static bool parent_used(const struct applier *applier, const struct temporary *temporary)
{
	for (size_t i = 0; i < applier->plan->n_steps; i++) {
		const struct link_spec *want = applier->plan->steps[i].want;
		if (want && !want->parent && want->parent_name &&
		    strcmp(want->parent_name, temporary->name) == 0 &&
		    step_acts(&applier->plan->steps[i]) &&
		    applier->outcomes[i].state != OUTCOME_FAILED)
			return true;
	}
	return false;
}

/* Its step becomes one that changes the name alone. */
static void temporary_rename(struct applier *applier, const struct temporary *temporary)
{
	struct step *step = &applier->plan->steps[temporary->step];
	struct live_link *have = arena_alloc(applier->arena, sizeof(*have));
	*have = (struct live_link){.ifindex = temporary->ifindex,
				   .name = temporary_name(applier->arena, temporary->ifindex),
				   .kind = step->want->kind,
				   .mtu = step->want->mtu};
	step->action = ACTION_CHANGE;
	step->ns = applier->host;
	step->have = have;
	step->changes = arena_alloc(applier->arena, sizeof(*step->changes));
	step->n_changes = 1;
	step->changes[0] =
		(struct change){.field = FIELD_NAME, .from = have->name, .to = step->want->name};
	changes_do(applier, temporary->step);
}

/* The link that has its name stays. */
static void temporary_stays(struct applier *applier, const struct temporary *temporary, bool asked)
{
	struct error error;
	struct netlink *netlink = ns_socket(applier, applier->host, &error);
	struct outcome *outcome = &applier->outcomes[temporary->step];
	if (asked && netlink && !parent_used(applier, temporary)) {
		link_take_back(netlink, temporary->ifindex);
		outcome_defer(outcome, arena_printf(applier->plan->arena,
						    "not made: the other %s is still there",
						    temporary->name));
	} else {
		outcome->note = arena_printf(
			applier->plan->arena, "called %s while the other %s is there",
			temporary_name(applier->arena, temporary->ifindex), temporary->name);
	}
}

void parents_finish(struct applier *applier, bool asked)
{
	late_deletes_do(applier);
	for (size_t i = 0; i < applier->n_temporaries; i++) {
		const struct temporary *temporary = &applier->temporaries[i];
		if (link_deleted(applier, live_link_by_name(applier->host, temporary->name)))
			temporary_rename(applier, temporary);
		else
			temporary_stays(applier, temporary, asked);
	}
	late_renames_do(applier);
}
