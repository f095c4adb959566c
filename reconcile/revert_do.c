/* Going back: the part that touches the kernel. */
#include "reconcile/revert.h"

#include "base/memory.h"
#include "reconcile/apply.h"
#include "reconcile/netns.h"
#include "reconcile/observe.h"
#include "reconcile/settings.h"
#include "reconcile/verbatim.h"

#include <stdlib.h>

/* How often what was brought back is looked at, and the rest done. */
#define PASSES_MAX 3

static struct live_link *link_of(struct live_ns *ns, int ifindex)
{
	for (size_t i = 0; i < ns->n_links; i++)
		if (ns->links[i].ifindex == ifindex)
			return &ns->links[i];
	return NULL;
}

void revert_prepare(struct live *before, const struct plan *plan)
{
	const int host_fd = before->spaces[0]->handle->fd;
	struct error error;
	for (size_t i = 0; i < plan->n_steps; i++) {
		const struct step *step = &plan->steps[i];
		if (!step_acts(step) || !step->have ||
		    netns_enter(step->ns->handle->fd, &error) < 0)
			continue;
		struct live_link *link = link_of(step->ns, step->have->ifindex);
		if (!link)
			continue;
		verbatim_read(step->ns, link);
		if (step->action != ACTION_CHANGE)
			settings_read(step->ns, link);
	}
	netns_return(host_fd);
}

static void tell_kept(const struct plan *plan, revert_tell *tell, void *data)
{
	for (size_t i = 0; i < plan->n_steps; i++)
		if (plan->steps[i].action == ACTION_KEPT)
			tell(arena_printf(plan->arena, "%s is kept: %s", plan->steps[i].name,
					  plan->steps[i].reason),
			     data);
}

static void tell_rest(const struct plan *plan, const struct outcome *outcomes, revert_tell *tell,
		      void *data)
{
	for (size_t i = 0; i < plan->n_steps; i++) {
		const struct step *step = &plan->steps[i];
		if (outcomes && outcomes[i].state == OUTCOME_FAILED)
			tell(outcomes[i].error->text, data);
		else if (!outcomes && step_acts(step))
			tell(arena_printf(plan->arena, "%s in %s does not stay as it was",
					  step->name, step->ns->name),
			     data);
	}
}

/* One look and one plan. Returns how many steps failed, -1: there is nothing left to do. */
static int pass(const struct plan *plan, const struct live *now, bool last, revert_tell *tell,
		void *data)
{
	if (plan_empty(plan)) {
		tell_kept(plan, tell, data);
		return -1;
	}
	if (last) {
		tell_rest(plan, NULL, tell, data);
		return (int)plan->n_steps;
	}
	struct outcome *outcomes = outcomes_new(plan->n_steps);
	size_t failed = apply(plan, now, NULL, outcomes);
	tell_rest(plan, outcomes, tell, data);
	outcomes_free(outcomes, plan->n_steps);
	return (int)failed;
}

static int passes(const struct plan *done, const struct live *before, revert_tell *tell, void *data,
		  struct error *error)
{
	for (int number = 0;; number++) {
		struct live *now = observe_beside(before, error);
		if (!now)
			return -error->errnum;
		struct plan *plan = plan_revert(done, before, now);
		int failed = pass(plan, now, number == PASSES_MAX, tell, data);
		plan_free(plan);
		live_free(now);
		if (failed != 0)
			return failed < 0 ? 0 : failed;
	}
}

/* What the plan of the way back cannot say of addresses and routes. */
static int rest_returns(const struct plan *done, const struct live *before, revert_tell *tell,
			void *data)
{
	struct error error;
	int failed = 0;
	for (size_t i = 0; i < done->n_steps; i++) {
		const struct step *step = &done->steps[i];
		if (step_acts(step) && step->have && netns_enter(step->ns->handle->fd, &error) == 0)
			failed += (int)verbatim_return(step->ns, step->have, tell, data);
	}
	netns_return(before->spaces[0]->handle->fd);
	return failed;
}

int revert(const struct plan *done, const struct live *before, revert_tell *tell, void *data,
	   struct error *error)
{
	struct apply_lock lock;
	int status = apply_lock(&lock, error);
	if (status < 0)
		return status;
	int failed = passes(done, before, tell, data, error);
	if (failed >= 0)
		failed += rest_returns(done, before, tell, data);
	apply_unlock(&lock);
	return failed;
}
