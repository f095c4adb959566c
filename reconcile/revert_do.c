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

/* The namespaces that somebody has, by inode. */
struct inodes {
	ino_t *list;
	size_t count, room;
};

static void place_take(const struct netns_place *place, void *data)
{
	struct inodes *inodes = data;
	if (inodes->count == inodes->room) {
		inodes->room = inodes->room * 2 + 64;
		inodes->list = memory_or_die(
			reallocarray(inodes->list, inodes->room, sizeof(*inodes->list)));
	}
	inodes->list[inodes->count++] = place->inode;
}

static int inode_compare(const void *a, const void *b)
{
	const ino_t left = *(const ino_t *)a, right = *(const ino_t *)b;
	return left < right ? -1 : left > right;
}

/* Descriptors keep a namespace, too, where nobody sees it: ours, of which netns_scan knows nothing.
 */
static bool ended(const struct step *step, const struct inodes *inodes)
{
	return step_acts(step) && step->have && !step->ns->host &&
	       !(inodes->count && bsearch(&step->ns->inode, inodes->list, inodes->count,
					  sizeof(*inodes->list), inode_compare));
}

/* A container that was started anew meanwhile has another namespace than the one in which its link
 * is again. Returns how many links are lost so; 0 where it cannot be told. */
static size_t ended_tell(const struct plan *done, revert_tell *tell, void *data)
{
	struct inodes inodes = {0};
	const struct netns_missed missed = netns_scan(place_take, &inodes);
	const bool known = !missed.processes && !missed.hidden && !missed.mounts;
	size_t count = 0;
	if (inodes.count)
		qsort(inodes.list, inodes.count, sizeof(*inodes.list), inode_compare);
	for (size_t i = 0; known && i < done->n_steps; i++) {
		const struct step *step = &done->steps[i];
		if (!ended(step, &inodes))
			continue;
		tell(arena_printf(done->arena,
				  "%s is not put back: its network namespace %s has ended since; a "
				  "container that was started anew has no such link",
				  step->name, step->ns->name),
		     data);
		count++;
	}
	free(inodes.list);
	return count;
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
	if (left >= 0)
		left += (int)ended_tell(done, tell, data);
	apply_unlock(&lock);
	return left;
}
