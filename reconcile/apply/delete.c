/* Deletes links. Each delete blocks on an RCU barrier, so deletes run in parallel. */
#include "reconcile/apply/internal.h"

#include "kernel/netns.h"
#include "kernel/rtnl_decode.h"
#include "lib/cleanup.h"
#include "lib/memory.h"
#include "lib/thread_pool.h"

#include <errno.h>
#include <string.h>

/* Deleting threads mostly sleep. Each of them keeps the pages of its stack that it has ever used:
 * large objects are on the heap, which all of them share. */
#define THREADS 256

/* Deletions that do not depend on each other. */
struct deletions {
	struct apply_context *context;
	size_t *steps;
	size_t n_steps;
};

struct identity_check {
	struct arena *arena;
	const struct live_link *expected;
	bool same;
};

static int identity_take(const struct nlmsghdr *message, void *data, struct error *error)
{
	struct identity_check *check = data;
	struct live_link link;
	struct parent_ref parent;
	if (decode_link(check->arena, message, &link, &parent) != DECODED)
		return error_set(error, EBADMSG, "the kernel's answer is malformed");
	check->same = link.ifindex == check->expected->ifindex &&
		      strcmp(link.kind_name, check->expected->kind_name) == 0 &&
		      strcmp(link.alias, check->expected->alias) == 0;
	return 0;
}

/* Check directly before the deletion: the link may be gone, and its ifindex reused. */
static int still_the_same(struct netlink *netlink, const struct live_link *link,
			  struct error *error)
{
	struct arena *arena __attribute__((cleanup(arena_cleanup))) = arena_new();
	struct identity_check check = {.arena = arena, .expected = link};
	/* Not on the stack: see THREADS. */
	union message *request = arena_alloc(arena, sizeof(*request));
	encode_link_get(request, link->ifindex);
	int status = netlink_request(netlink, &request->header, identity_take, &check, error);
	if (status < 0 || check.same)
		return status;
	error_set(error, EBUSY, "the link was replaced by another one meanwhile");
	error_hint(error, "run mvapply again");
	return error_code(error, CODE_MEANWHILE);
}

/* The policy of its routes comes first: a run that is killed in between leaves the link, of
 * which the next run finds it. */
static void deletion_queue(struct batch *batch, const struct step *step)
{
	struct arena *arena __attribute__((cleanup(arena_cleanup))) = arena_new();
	const struct stage_item item = {.stage = STAGE_DELETE, .step = step};
	const struct operations operations = stage_operations(arena, &item);
	for (size_t i = 0; i < operations.count; i++)
		queue_operation(batch, &operations.all[i], step->desired, step->current->ifindex);
}

/* The reply is that of the link. */
static int link_delete(struct netlink *netlink, const struct step *step, struct reply *ret,
		       struct error *error)
{
	struct batch *batch __attribute__((cleanup(batch_cleanup))) = batch_new();
	int status = still_the_same(netlink, step->current, error);
	if (status < 0)
		return status == -ENODEV ? 0 : status;
	deletion_queue(batch, step);
	status = batch_send(netlink, batch, error);
	*ret = *batch_reply(batch, batch_count(batch) - 1);
	return status;
}

/* Uses a socket of the thread's own. */
static int step_delete(const struct step *step, struct reply *ret, struct error *error)
{
	int status = netns_enter(step->ns->handle->fd, error);
	if (status < 0)
		return status;
	struct netlink *netlink = netlink_open(error);
	if (!netlink)
		return -error->errnum;
	status = link_delete(netlink, step, ret, error);
	netlink_close(netlink);
	return status;
}

static void one_delete(void *data, size_t number)
{
	const struct deletions *deletions = data;
	const struct apply_context *context = deletions->context;
	const struct step *step = &context->plan->steps[deletions->steps[number]];
	struct outcome *outcome = &context->outcomes[deletions->steps[number]];
	const struct operation_context operation_at = {.type = OP_LINK_DELETE,
						       .link = step->current->name,
						       .ns = step->ns,
						       .kind = step->current->kind};
	struct reply reply = {0};
	/* Not on the stack: see THREADS. */
	cleanup_free struct error *error = memory_new(1, sizeof(*error));
	if (step_delete(step, &reply, error) < 0)
		outcome_broke(outcome, &operation_at, error);
	else if (reply.errnum && reply.errnum != ENODEV)
		outcome_refused(outcome, &operation_at, &reply);
	else
		deletions->context->deleted[deletions->steps[number]] = !reply.errnum;
	if (step->action == ACTION_DELETE)
		steps_count(context, 1);
}

static bool deletes(const struct apply_context *context, const struct step *step)
{
	return step_selected(context, step) && step_deletes(step);
}

static bool is_attached_to(const struct step *step, const struct live_link *parent)
{
	return step->current && live_link_on(step->current, parent->ifindex);
}

bool link_deleted(const struct apply_context *context, const struct live_link *link)
{
	for (size_t i = 0; i < context->plan->n_steps; i++)
		if (context->plan->steps[i].current == link && context->deleted[i])
			return true;
	return false;
}

/* Whether it is itself a parent whose deletion was deferred. */
static bool parent_stays(const struct apply_context *context, size_t number)
{
	return step_is_parent(&context->plan->steps[number]) &&
	       context->outcomes[number].state == OUTCOME_DEFERRED;
}

/* The kernel deletes the links on a parent with it. A parent therefore stays while a link on it
 * could not be deleted or was restored. */
static bool parent_free(struct apply_context *context, size_t number)
{
	const struct plan *plan = context->plan;
	const struct live_link *parent = plan->steps[number].current;
	for (size_t i = 0; i < plan->n_steps; i++) {
		const struct step *step = &plan->steps[i];
		if (is_attached_to(step, parent) &&
		    (context->back[i] || parent_stays(context, i))) {
			outcome_defer(&context->outcomes[number], "kept: used by %s in %s",
				      step->current->name, step->ns->name);
			return false;
		}
		if (!deletes(context, step) || !is_attached_to(step, parent) ||
		    context->deleted[i] || context->outcomes[i].state != OUTCOME_FAILED)
			continue;
		struct error error;
		error_set(&error, EBUSY, "%s is kept: %s in namespace %s could not be deleted",
			  parent->name, step->current->name, step->ns->name);
		outcome_fail(&context->outcomes[number], &error);
		return false;
	}
	return true;
}

/* Whether all links on the parent may be deleted with it: these are all, and unchanged
 * (parents_in_use_keep). */
static bool children_go_along(const struct apply_context *context, const struct live_link *parent)
{
	const struct plan *plan = context->plan;
	for (size_t i = 0; i < plan->n_steps; i++) {
		const struct step *step = &plan->steps[i];
		if (is_attached_to(step, parent) &&
		    (!deletes(context, step) || step_is_parent(step) ||
		     !policy_empty(step->stale_policy)))
			return false;
	}
	return true;
}

static void children_done(struct apply_context *context, const struct live_link *parent)
{
	for (size_t i = 0; i < context->plan->n_steps; i++)
		if (is_attached_to(&context->plan->steps[i], parent))
			context->outcomes[i].state = OUTCOME_DONE;
}

/* One message for all: separate deletions would each wait for RCU. */
void parents_with_children_do(struct apply_context *context)
{
	each_stage_item (item, &context->stages, STAGE_PARENT_DELETE) {
		const struct step *step = item->step;
		size_t number = step_number(context, step);
		struct outcome *outcome = &context->outcomes[number];
		if (!step_selected(context, step) || step->action != ACTION_DELETE ||
		    !children_go_along(context, step->current))
			continue;
		one_delete(&(struct deletions){.context = context, .steps = &number}, 0);
		if (outcome->state == OUTCOME_FAILED) {
			outcome_clear(outcome);
			continue;
		}
		outcome->state = OUTCOME_DONE;
		children_done(context, step->current);
	}
	netns_return(context->host->handle->fd);
}

void deletes_do(struct apply_context *context, enum stage stage)
{
	struct arena *arena __attribute__((cleanup(arena_cleanup))) = arena_new();
	struct deletions deletions = {.context = context};
	each_stage_item (item, &context->stages, stage) {
		const size_t number = step_number(context, item->step);
		if (step_selected(context, item->step) &&
		    context->outcomes[number].state == OUTCOME_NOT_DONE &&
		    (stage == STAGE_DELETE || parent_free(context, number)))
			*array_push(arena, deletions.steps, deletions.n_steps) = number;
	}
	if (!deletions.n_steps)
		return;
	pool_make_room(context->host->handle->fd, 2 * context->live->n_namespaces + 2 * THREADS);
	pool_run(deletions.n_steps, THREADS, one_delete, &deletions);
	netns_return(context->host->handle->fd);
}
