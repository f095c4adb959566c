/* Making parents before anything that hangs on them is touched, and deleting them after. */
#include "reconcile/apply/create_internal.h"
#include "reconcile/plan/defer.h"

#include <string.h>

bool step_makes_parent(const struct step *step)
{
	return step->action == ACTION_CREATE && step_is_parent(step);
}

/* By which reconcile/plan/parent.c knows it again. */
static const char *temporary_name(struct arena *arena, int ifindex)
{
	return arena_printf(arena, TEMPORARY_PREFIX "%08x", (unsigned)ifindex);
}

static void parent_make(struct applier *applier, size_t number, bool temporary)
{
	struct link_spec spec = *applier->plan->steps[number].want;
	struct made made = {.step = number, .name = spec.name, .temporary = temporary};
	const int ifindex = ifindex_choose(applier, &spec);
	if (temporary)
		spec.name = temporary_name(applier->arena, ifindex);
	made.ifindex = create_one(applier, &spec, ifindex, &applier->outcomes[number]);
	if (made.ifindex)
		*array_push(applier->arena, applier->made, applier->n_made) = made;
}

int made_parent(const struct applier *applier, const char *name)
{
	for (size_t i = 0; i < applier->n_made; i++)
		if (strcmp(applier->made[i].name, name) == 0)
			return applier->made[i].ifindex;
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
		parent_make(applier, i, holder);
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

/* Whether the step is for something on the parent. */
static bool is_for(const struct step *step, const struct made *made)
{
	const struct link_spec *want = step->want;
	return want && !want->parent && want->parent_name &&
	       strcmp(want->parent_name, made->name) == 0;
}

/* Whether something was to be on it, and nothing is. */
static bool is_vain(const struct applier *applier, const struct made *made)
{
	bool wanted = false;
	for (size_t i = 0; i < applier->plan->n_steps; i++) {
		const struct step *step = &applier->plan->steps[i];
		const int state = (int)applier->outcomes[i].state;
		if (!is_for(step, made))
			continue;
		if (state == OUTCOME_DONE || (state == OUTCOME_NOT_DONE && step_acts(step)))
			return false;
		wanted = true;
	}
	return wanted;
}

static void vain_leave(struct applier *applier, const struct made *made)
{
	struct error error;
	struct netlink *netlink = ns_socket(applier, applier->host, &error);
	if (!netlink)
		return;
	link_take_back(netlink, made->ifindex);
	outcome_defer(&applier->outcomes[made->step], "not made: nothing could be put on it");
}

/* From the last, as a VLAN comes before one inside it. */
static void vain_find(struct applier *applier)
{
	for (size_t i = applier->n_made; i-- > 0;) {
		struct outcome *outcome = &applier->outcomes[applier->made[i].step];
		applier->made[i].vain = is_vain(applier, &applier->made[i]);
		/* For those that it is inside of. */
		if (applier->made[i].vain)
			outcome->state = OUTCOME_DEFERRED;
	}
}

static void vain_settle(struct applier *applier)
{
	for (size_t i = applier->n_made; i-- > 0;) {
		const struct made *made = &applier->made[i];
		if (made->vain)
			vain_leave(applier, made);
		else if (applier->outcomes[made->step].state == OUTCOME_DEFERRED)
			applier->outcomes[made->step].state = OUTCOME_DONE;
	}
}

/* Its step becomes one that changes the name alone. */
static void temporary_rename(struct applier *applier, const struct made *made)
{
	struct step *step = &applier->plan->steps[made->step];
	struct live_link *have = arena_alloc(applier->arena, sizeof(*have));
	*have = (struct live_link){.ifindex = made->ifindex,
				   .name = temporary_name(applier->arena, made->ifindex),
				   .kind = step->want->kind,
				   .mtu = step->want->mtu};
	step->action = ACTION_CHANGE;
	step->ns = applier->host;
	step->have = have;
	step->changes = arena_alloc(applier->arena, sizeof(*step->changes));
	step->n_changes = 1;
	step->changes[0] =
		(struct change){.field = FIELD_NAME, .from = have->name, .to = step->want->name};
	changes_do(applier, made->step);
}

/* The link that has its name stays. */
static void temporary_stays(struct applier *applier, const struct made *made)
{
	applier->outcomes[made->step].note =
		arena_printf(applier->plan->arena, "called %s while the other %s is there",
			     temporary_name(applier->arena, made->ifindex), made->name);
}

void parents_finish(struct applier *applier, bool asked)
{
	if (asked)
		vain_find(applier);
	late_deletes_do(applier);
	vain_settle(applier);
	for (size_t i = 0; i < applier->n_made; i++) {
		const struct made *made = &applier->made[i];
		if (!made->temporary || made->vain)
			continue;
		if (link_deleted(applier, live_link_by_name(applier->host, made->name)))
			temporary_rename(applier, made);
		else
			temporary_stays(applier, made);
	}
	late_renames_do(applier);
}
