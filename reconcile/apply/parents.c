/* Creates parents before the links on them are changed, and deletes parents afterwards. */
#include "reconcile/apply/create_internal.h"

#include <string.h>

/* The name by which reconcile/plan/parents.c recognises it later. */
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

void parents_create(struct apply_context *context)
{
	each_stage_item (item, &context->stages, STAGE_PARENT_CREATE) {
		const size_t number = step_number(context, item->step);
		parent_make(context, number, item->temporary);
		if (context->outcomes[number].state == OUTCOME_NOT_DONE)
			context->outcomes[number].state = OUTCOME_DONE;
		context->selection.selected[number] = false;
		steps_count(context, 1);
	}
}

/* A link on the parent that this run should have deleted, or NULL. */
static const struct live_link *remaining_user(const struct apply_context *context,
					      const struct live_link *parent)
{
	for (size_t i = 0; i < context->plan->n_steps; i++) {
		const struct step *step = &context->plan->steps[i];
		if (step_deletes(step) && step->current->parent_where == PARENT_HOST &&
		    step->current->parent == parent->ifindex &&
		    !link_deleted(context, step->current))
			return step->current;
	}
	return NULL;
}

void requested_do(struct apply_context *context, enum stage stage)
{
	each_stage_item (item, &context->stages, stage) {
		const struct live_link *user =
			item->step->released ? remaining_user(context, item->step->current) : NULL;
		if (!step_selected(context, item->step))
			continue;
		if (user)
			outcome_defer(&context->outcomes[step_number(context, item->step)],
				      "kept: used by %s", user->name);
		else
			changes_do(context, item);
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
		outcome_defer(outcome, "kept: %s", why);
		return;
	}
	error_set(&error, 0, "%s: %s", step->current ? "not changed" : "not created", why);
	outcome_fail(outcome, &error);
}

void steps_defer(struct apply_context *context)
{
	const struct plan *plan = context->plan;
	struct selection done =
		selection_none(plan, context->arena); /* created already, or later */
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

/* Whether the step is for a link on the parent. */
static bool is_for(const struct step *step, const struct made *made)
{
	const struct link_spec *desired = step->desired;
	return desired && !desired->parent && desired->parent_name &&
	       strcmp(desired->parent_name, made->name) == 0;
}

/* Whether links should be created on it, and none was. */
static bool is_unused(const struct apply_context *context, const struct made *made)
{
	bool needed = false;
	for (size_t i = 0; i < context->plan->n_steps; i++) {
		const struct step *step = &context->plan->steps[i];
		const int state = (int)context->outcomes[i].state;
		if (!is_for(step, made))
			continue;
		if (state == OUTCOME_DONE ||
		    (state == OUTCOME_NOT_DONE && step_selected(context, step)))
			return false;
		needed = true;
	}
	return needed;
}

static void created_parent_delete(struct apply_context *context, const struct made *made)
{
	struct error error;
	struct netlink *netlink = ns_socket(context, context->host, &error);
	if (!netlink)
		return;
	link_undo_create(netlink, made->ifindex);
	outcome_defer(&context->outcomes[made->step],
		      "not created: no link could be attached to it");
}

/* In reverse order, as a VLAN precedes its nested VLANs. */
void unused_find(struct apply_context *context)
{
	for (size_t i = context->n_made; i-- > 0;) {
		struct outcome *outcome = &context->outcomes[context->made[i].step];
		context->made[i].unused = is_unused(context, &context->made[i]);
		/* For its parent VLANs. */
		if (context->made[i].unused)
			outcome->state = OUTCOME_DEFERRED;
	}
}

void unused_parents_delete(struct apply_context *context)
{
	for (size_t i = context->n_made; i-- > 0;) {
		const struct made *made = &context->made[i];
		if (made->unused)
			created_parent_delete(context, made);
		else if (context->outcomes[made->step].state == OUTCOME_DEFERRED)
			context->outcomes[made->step].state = OUTCOME_DONE;
	}
}

/* Whether the live link with the name has another name now, or is gone. */
static bool name_is_free_again(const struct apply_context *context, const char *name)
{
	const struct live_link *holder = live_link_by_name(context->host, name);
	if (!holder || link_deleted(context, holder))
		return true;
	for (size_t i = 0; i < context->plan->n_steps; i++) {
		const struct step *step = &context->plan->steps[i];
		if (step->current == holder && step->action == ACTION_CHANGE)
			return step_selected(context, step) &&
			       context->outcomes[i].state == OUTCOME_NOT_DONE &&
			       strcmp(step->desired->name, name) != 0;
	}
	return false;
}

#define NAME_NOTE "named %s while the other %s exists"

/* NULL: it could not be created, or was deleted again. */
static struct made *made_of(const struct apply_context *context, const struct step *step)
{
	for (size_t i = 0; i < context->n_made; i++)
		if (context->made[i].step == step_number(context, step))
			return context->made[i].unused ? NULL : &context->made[i];
	return NULL;
}

static void created_rename(struct apply_context *context, const struct stage_item *item)
{
	struct made *made = made_of(context, item->step);
	if (!made || !name_is_free_again(context, made->name))
		return;
	made_rename(context, item, made->ifindex, temporary_name(context->arena, made->ifindex));
	made->temporary = false;
}

static void changed_rename(struct apply_context *context, const struct stage_item *item)
{
	const struct step *step = item->step;
	if (!step_selected(context, step))
		return;
	if (name_is_free_again(context, step->desired->name))
		changes_do(context, item);
	else
		outcome_defer(&context->outcomes[step_number(context, step)], NAME_NOTE,
			      step->current->name, step->desired->name);
}

void parents_rename(struct apply_context *context)
{
	each_stage_item (item, &context->stages, STAGE_PARENT_RENAME) {
		if (item->temporary)
			created_rename(context, item);
		else
			changed_rename(context, item);
	}
	for (size_t i = 0; i < context->n_made; i++) {
		const struct made *made = &context->made[i];
		if (made->temporary && !made->unused)
			outcome_note(&context->outcomes[made->step], NAME_NOTE,
				     temporary_name(context->arena, made->ifindex), made->name);
	}
}
