/* Making parents before anything that hangs on them is touched, and deleting them after. */
#include "reconcile/apply/create_internal.h"

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

static void parent_make(struct apply_context *context, size_t number, bool temporary)
{
	struct link_spec spec = *context->plan->steps[number].desired;
	struct made made = {.step = number, .name = spec.name, .temporary = temporary};
	const int ifindex = ifindex_choose(context, &spec);
	if (temporary)
		spec.name = temporary_name(context->arena, ifindex);
	made.ifindex = create_one(context, &spec, ifindex, &context->outcomes[number]);
	if (made.ifindex)
		*array_push(context->arena, context->made, context->n_made) = made;
}

int made_parent(const struct apply_context *context, const char *name)
{
	for (size_t i = 0; i < context->n_made; i++)
		if (strcmp(context->made[i].name, name) == 0)
			return context->made[i].ifindex;
	return 0;
}

/* Whether something waits for the parent already; a link whose name leaves early can wait. */
void parents_make(struct apply_context *context)
{
	for (size_t i = 0; i < context->plan->n_steps; i++) {
		const struct step *step = &context->plan->steps[i];
		if (!step_selected(context, step) || !step_makes_parent(step))
			continue;
		const struct live_link *holder =
			live_link_by_name(context->host, step->desired->name);
		if (holder && !parent_leaves_late(context, holder))
			continue;
		parent_make(context, i, holder);
		if (context->outcomes[i].state == OUTCOME_NOT_DONE)
			context->outcomes[i].state = OUTCOME_DONE;
		context->selection.selected[i] = false;
		steps_count(context, 1);
	}
}

static void step_defer(struct apply_context *context, size_t number, const char *why)
{
	const struct step *step = &context->plan->steps[number];
	struct outcome *outcome = &context->outcomes[number];
	struct error error;
	context->selection.selected[number] = false;
	steps_count(context, 1);
	if (step->action == ACTION_DELETE || step_is_parent(step)) {
		outcome_defer(outcome, arena_printf(context->plan->arena, "kept: %s", why));
		return;
	}
	error_set(&error, 0, "%s: %s", step->current ? "left as it is" : "not made", why);
	outcome_fail(outcome, &error);
}

void steps_defer(struct apply_context *context)
{
	const struct plan *plan = context->plan;
	struct selection done = selection_none(plan, context->arena); /* already, or later */
	for (size_t i = 0; i < plan->n_steps; i++) {
		context->selection.selected[i] &= context->outcomes[i].state != OUTCOME_FAILED;
		done.selected[i] = context->selection.selected[i] ||
				   context->outcomes[i].state == OUTCOME_DONE;
	}
	const struct selection kept = selection_defer(&done, context->live, context->arena);
	for (size_t i = 0; i < plan->n_steps; i++)
		if (kept.why[i])
			step_defer(context, i, kept.why[i]);
}

bool renames_late(const struct apply_context *context, const struct step *step)
{
	if (step->action != ACTION_CHANGE || !step_is_parent(step) ||
	    strcmp(step->current->name, step->desired->name) == 0)
		return false;
	const struct live_link *holder = live_link_by_name(context->host, step->desired->name);
	return holder && parent_leaves_late(context, holder);
}

static void late_renames_do(struct apply_context *context)
{
	for (size_t i = 0; i < context->plan->n_steps; i++) {
		const struct step *step = &context->plan->steps[i];
		if (!step_selected(context, step) || !renames_late(context, step))
			continue;
		const struct live_link *holder =
			live_link_by_name(context->host, step->desired->name);
		if (link_deleted(context, holder))
			changes_do(context, step, i);
		else
			outcome_defer(&context->outcomes[i],
				      arena_printf(context->plan->arena,
						   "called %s while the other %s is there",
						   step->current->name, holder->name));
	}
}

/* Whether the step is for something on the parent. */
static bool is_for(const struct step *step, const struct made *made)
{
	const struct link_spec *desired = step->desired;
	return desired && !desired->parent && desired->parent_name &&
	       strcmp(desired->parent_name, made->name) == 0;
}

/* Whether something was to be on it, and nothing is. */
static bool is_vain(const struct apply_context *context, const struct made *made)
{
	bool wanted = false;
	for (size_t i = 0; i < context->plan->n_steps; i++) {
		const struct step *step = &context->plan->steps[i];
		const int state = (int)context->outcomes[i].state;
		if (!is_for(step, made))
			continue;
		if (state == OUTCOME_DONE ||
		    (state == OUTCOME_NOT_DONE && step_selected(context, step)))
			return false;
		wanted = true;
	}
	return wanted;
}

static void vain_leave(struct apply_context *context, const struct made *made)
{
	struct error error;
	struct netlink *netlink = ns_socket(context, context->host, &error);
	if (!netlink)
		return;
	link_undo_create(netlink, made->ifindex);
	outcome_defer(&context->outcomes[made->step], "not made: nothing could be put on it");
}

/* From the last, as a VLAN comes before one inside it. */
static void vain_find(struct apply_context *context)
{
	for (size_t i = context->n_made; i-- > 0;) {
		struct outcome *outcome = &context->outcomes[context->made[i].step];
		context->made[i].vain = is_vain(context, &context->made[i]);
		/* For those that it is inside of. */
		if (context->made[i].vain)
			outcome->state = OUTCOME_DEFERRED;
	}
}

static void vain_settle(struct apply_context *context)
{
	for (size_t i = context->n_made; i-- > 0;) {
		const struct made *made = &context->made[i];
		if (made->vain)
			vain_leave(context, made);
		else if (context->outcomes[made->step].state == OUTCOME_DEFERRED)
			context->outcomes[made->step].state = OUTCOME_DONE;
	}
}

static void temporary_rename(struct apply_context *context, const struct made *made)
{
	const struct step *step = &context->plan->steps[made->step];
	const struct live_link current = {.ifindex = made->ifindex,
					  .name = temporary_name(context->arena, made->ifindex),
					  .kind = step->desired->kind,
					  .mtu = step->desired->mtu};
	struct change change = {
		.field = FIELD_NAME, .from = current.name, .to = step->desired->name};
	struct step rename = *step;
	rename.action = ACTION_CHANGE;
	rename.ns = context->host;
	rename.current = &current;
	rename.changes = &change;
	rename.n_changes = 1;
	changes_do(context, &rename, made->step);
}

/* The link that has its name stays. */
static void temporary_stays(struct apply_context *context, const struct made *made)
{
	context->outcomes[made->step].note =
		arena_printf(context->plan->arena, "called %s while the other %s is there",
			     temporary_name(context->arena, made->ifindex), made->name);
}

void parents_finish(struct apply_context *context, bool asked)
{
	if (asked)
		vain_find(context);
	late_deletes_do(context);
	vain_settle(context);
	for (size_t i = 0; i < context->n_made; i++) {
		const struct made *made = &context->made[i];
		if (!made->temporary || made->vain)
			continue;
		if (link_deleted(context, live_link_by_name(context->host, made->name)))
			temporary_rename(context, made);
		else
			temporary_stays(context, made);
	}
	late_renames_do(context);
}
