/* Restores a link that was deleted for a replacement that then could not be created: on another
 * parent, or of the same container on a renamed network. */
#include "reconcile/apply/internal.h"

#include "kernel/netns.h"
#include "reconcile/plan/rollback_plan.h"
#include "reconcile/rollback/snapshot.h"

#include <stdlib.h>

/* Whether another link replaces the one that the step deletes. */
static bool makes_room(const struct step *step)
{
	return !step_is_parent(step) && (step->action == ACTION_REPLACE ||
					 (step->action == ACTION_DELETE && step->replaced_by));
}

/* Without a snapshot nothing is restored: the deletion itself will fail with the same error. */
void replaced_note(struct apply_context *context)
{
	struct error ignored;
	for (size_t i = 0; i < context->plan->n_steps; i++) {
		const struct step *step = &context->plan->steps[i];
		if (step_selected(context, step) && makes_room(step))
			(void)revert_note(step, !step->faster, &ignored);
	}
	netns_return(context->host->handle->fd);
}

static void report_nothing(const char *sentence, void *data)
{
	(void)sentence;
	(void)data;
}

static void details_return(const struct apply_context *context, const struct step *step)
{
	struct error ignored;
	if (step->current->snapshot && netns_enter(step->ns->handle->fd, &ignored) == 0)
		(void)snapshot_restore(step->ns, step->current, report_nothing, NULL);
	netns_return(context->host->handle->fd);
}

static void put_back(struct apply_context *context, size_t number)
{
	const struct step *step = &context->plan->steps[number];
	struct arena *arena = context->arena;
	struct outcome *outcome = &context->outcomes[number],
		       restored = {.state = OUTCOME_NOT_DONE};
	struct link_spec *spec = link_spec_of_live(arena, context->live, step->ns, step->current);
	const char *note = "restored, because its replacement could not be created";
	if (create_one(context, spec, ifindex_choose(context, spec), &restored)) {
		context->back[number] = true;
		details_return(context, step);
		const char *trouble = lease_regain(context, step, spec);
		if (trouble)
			note = arena_printf(
				arena,
				"%s; its DHCP lease was released and could not be requested "
				"again: %s",
				note, trouble);
	} else {
		note = arena_printf(arena, "could not be restored: %s", restored.error->text);
	}
	free(restored.error);
	if (outcome->state != OUTCOME_FAILED)
		outcome->state = OUTCOME_DEFERRED;
	outcome_note(outcome, "%s", note);
}

/* The outcome of the replacement of the step's link. */
static struct outcome *replacement_of(const struct apply_context *context, size_t number)
{
	const size_t by = context->plan->steps[number].replaced_by;
	return &context->outcomes[by ? by - 1 : number];
}

void replaced_put_back(struct apply_context *context)
{
	for (size_t i = 0; i < context->plan->n_steps; i++)
		if (context->deleted[i] && makes_room(&context->plan->steps[i]) &&
		    replacement_of(context, i)->state == OUTCOME_FAILED) {
			replacement_of(context, i)->cut = true;
			put_back(context, i);
		}
}
