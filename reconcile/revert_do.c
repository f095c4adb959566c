/* Going back: the part that touches the kernel. */
#include "reconcile/revert.h"

#include "base/memory.h"
#include "reconcile/apply.h"
#include "reconcile/netns.h"
#include "reconcile/observe.h"
#include "reconcile/settings.h"
#include "reconcile/verbatim.h"

#include <stdlib.h>

/* How often it is looked whether everything is back, and the rest is done. */
#define PASSES_MAX 4

static struct live_link *link_of(struct live_ns *ns, int ifindex)
{
	for (size_t i = 0; i < ns->n_links; i++)
		if (ns->links[i].ifindex == ifindex)
			return &ns->links[i];
	return NULL;
}

int revert_note(const struct step *step, struct error *error)
{
	struct live_link *link = link_of(step->ns, step->have->ifindex);
	int status = netns_enter(step->ns->handle->fd, error);
	if (status == 0)
		status = verbatim_read(step->ns, link, error);
	if (status < 0) {
		error_prepend(error, "cannot note what %s in namespace %s is, to go back to it",
			      link->name, step->ns->name);
		return status;
	}
	if (step->action != ACTION_CHANGE)
		settings_read(step->ns, link);
	return 0;
}

int revert_prepare(struct live *before, const struct plan *plan, struct error *error)
{
	int status = 0;
	for (size_t i = 0; status == 0 && i < plan->n_steps; i++)
		if (step_acts(&plan->steps[i]) && plan->steps[i].have)
			status = revert_note(&plan->steps[i], error);
	netns_return(before->spaces[0]->handle->fd);
	return status;
}

static void tell_nobody(const char *sentence, void *data)
{
	(void)sentence;
	(void)data;
}

static bool is_left(const struct step *step)
{
	return step_acts(step) || step->action == ACTION_BLOCKED;
}

static size_t count_left(const struct plan *plan)
{
	size_t count = 0;
	for (size_t i = 0; i < plan->n_steps; i++)
		count += is_left(&plan->steps[i]);
	return count;
}

static void tell_kept(const struct plan *plan, revert_tell *tell, void *data)
{
	for (size_t i = 0; i < plan->n_steps; i++)
		if (plan->steps[i].action == ACTION_KEPT)
			tell(arena_printf(plan->arena, "%s is kept: %s", plan->steps[i].name,
					  plan->steps[i].reason),
			     data);
}

static void tell_left(const struct plan *plan, const struct outcome *outcomes, revert_tell *tell,
		      void *data)
{
	for (size_t i = 0; i < plan->n_steps; i++) {
		const struct step *step = &plan->steps[i];
		if (!is_left(step))
			continue;
		if (outcomes[i].state == OUTCOME_FAILED)
			tell(outcomes[i].error->text, data);
		else
			tell(arena_printf(plan->arena, "%s in %s %s", step->name, step->ns->name,
					  step->reason ? step->reason : "does not stay as it was"),
			     data);
	}
}

/* What the plan of the way back cannot say of addresses and routes. */
static size_t rest_returns(const struct plan *done, const struct live *before, revert_tell *tell,
			   void *data)
{
	struct error error;
	size_t failed = 0;
	for (size_t i = 0; i < done->n_steps; i++) {
		const struct step *step = &done->steps[i];
		if (step_acts(step) && step->have && netns_enter(step->ns->handle->fd, &error) == 0)
			failed += verbatim_return(step->ns, step->have, tell, data);
	}
	netns_return(before->spaces[0]->handle->fd);
	return failed;
}

/* Looks, and does what is left. Returns how many objects that were, 0: everything is back; or a
 * negative errno. */
static int pass(const struct plan *done, const struct live *before, bool last, revert_tell *tell,
		void *data, struct error *error)
{
	struct live *now = observe_beside(before, error);
	if (!now)
		return -error->errnum;
	struct plan *plan = plan_revert(done, before, now);
	size_t left = count_left(plan);
	struct outcome *outcomes = outcomes_new(plan->n_steps);
	if (left)
		apply(plan, now, NULL, outcomes);
	else
		left = rest_returns(done, before, last ? tell : tell_nobody, data);
	if (last)
		tell_left(plan, outcomes, tell, data);
	if (last || !left)
		tell_kept(plan, tell, data);
	outcomes_free(outcomes, plan->n_steps);
	plan_free(plan);
	live_free(now);
	return (int)left;
}

int revert(const struct plan *done, const struct live *before, revert_tell *tell, void *data,
	   struct error *error)
{
	struct apply_lock lock;
	int status = apply_lock(&lock, NULL, NULL, error);
	if (status < 0)
		return status;
	int left = 1;
	for (int number = 1; left != 0 && number <= PASSES_MAX; number++)
		left = pass(done, before, number == PASSES_MAX, tell, data, error);
	apply_unlock(&lock);
	return left;
}
