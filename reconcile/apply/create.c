/* Creates links, each completely or not at all. */
#include "reconcile/apply/create_internal.h"

#include "kernel/netns.h"

#include <errno.h>

bool pending_link_failed(const struct pending_link *pending)
{
	return pending->outcome->state == OUTCOME_FAILED;
}

struct operation_context pending_operation(const struct pending_link *pending,
					   enum operation_type type)
{
	return operation_of(type, pending->spec->ns, pending->spec);
}

void group_broke(struct group *group, enum operation_type type, const struct error *error)
{
	for (size_t i = 0; i < group->n_pending_links; i++) {
		struct pending_link *pending = &group->pending_links[i];
		const struct operation_context operation_at = pending_operation(pending, type);
		outcome_broke(pending->outcome, &operation_at, error);
	}
}

int group_send(struct group *group, struct batch *batch, struct error *error)
{
	pthread_mutex_lock(&group->context->changing);
	const int status = batch_send(group->netlink, batch, error);
	pthread_mutex_unlock(&group->context->changing);
	return status;
}

static void operation_broke(struct pending_link *pending, const struct operation *operation,
			    const struct error *error)
{
	const struct operation_context context =
		operation_context_of(operation, pending->spec->ns, pending->spec);
	outcome_broke(pending->outcome, &context, error);
}

/* Sets the sysctls among the operations [from, end). The thread is in the namespace. */
static void sysctls_do(struct pending_link *pending, size_t from, size_t end)
{
	for (size_t i = from; i < end && !pending_link_failed(pending); i++) {
		const struct operation *operation = &pending->operations.all[i];
		struct error error;
		if (operation->type == OP_SYSCTL_SET &&
		    sysctl_put(operation->sysctl, pending->spec->name, &error) < 0)
			operation_broke(pending, operation, &error);
	}
}

/* The single-message operations of an existing link. */
static bool is_message(const struct operation *operation)
{
	static const bool messages[N_OPERATION_TYPES] = {
		[OP_LINK_MAC] = true,    [OP_LINK_PROMISC] = true, [OP_LINK_ALLMULTICAST] = true,
		[OP_ALTNAME_ADD] = true, [OP_LINK_UP] = true,      [OP_ADDR_ADD] = true,
		[OP_ROUTE_ADD] = true,   [OP_RULE_ADD] = true};
	return messages[operation->type];
}

/* Finds the operations [details, details_end). */
static void details_find(struct pending_link *pending)
{
	const struct operations *operations = &pending->operations;
	size_t i = 0;
	while (i < operations->count && !is_message(&operations->all[i]))
		i++;
	pending->details = i;
	while (i < operations->count && is_message(&operations->all[i]))
		i++;
	pending->details_end = i;
}

static void details_check(struct pending_link *pending, const struct batch *batch)
{
	for (size_t i = pending->details; i < pending->details_end && !pending_link_failed(pending);
	     i++) {
		const struct reply *reply =
			batch_reply(batch, pending->first + i - pending->details);
		const struct operation_context context = operation_context_of(
			&pending->operations.all[i], pending->spec->ns, pending->spec);
		/* Rules for the routes of a link that was deleted are still there. */
		const bool there = context.type == OP_RULE_ADD && reply->errnum == EEXIST;
		if (reply->errnum && !there)
			outcome_refused(pending->outcome, &context, reply);
	}
}

/* Up, addresses, routes: of all links of the group together. There is no retry here, as the lock is
 * held: EADDRINUSE may be caused by a link of a namespace that is being destroyed (cleanup_net),
 * and the caller retries (outcome_busy). */
static void details_do(struct group *group)
{
	struct error error;
	struct batch *batch __attribute__((cleanup(batch_cleanup))) = batch_new();
	for (size_t i = 0; i < group->n_pending_links; i++) {
		struct pending_link *pending = &group->pending_links[i];
		if (pending_link_failed(pending))
			continue;
		pending->first = batch_count(batch);
		for (size_t k = pending->details; k < pending->details_end; k++)
			queue_operation(batch, &pending->operations.all[k], pending->spec,
					pending->ifindex);
	}
	if (group_send(group, batch, &error) < 0)
		group_broke(group, OP_LINK_UP, &error);
	for (size_t i = 0; i < group->n_pending_links; i++)
		if (!pending_link_failed(&group->pending_links[i]))
			details_check(&group->pending_links[i], batch);
}

static bool pending_link_announces(const struct pending_link *pending, bool via_parent)
{
	return !pending_link_failed(pending) && link_announces(pending->spec) &&
	       pending->via_parent == via_parent;
}

/* Deletes the links that failed, without announcements. The thread is in the namespace. */
static void group_announce(struct group *group)
{
	struct error error;
	struct batch *batch __attribute__((cleanup(batch_cleanup))) = batch_new();
	for (size_t i = 0; i < group->n_pending_links; i++) {
		const struct pending_link *pending = &group->pending_links[i];
		const struct announcement all = announcement_of(pending->spec, pending->ifindex);
		if (pending_link_announces(pending, false))
			queue_announcements(batch, &all);
	}
	if (batch_count(batch))
		(void)batch_send(group->netlink, batch, &error);
	for (size_t i = 0; i < group->n_pending_links; i++) {
		const struct pending_link *pending = &group->pending_links[i];
		const struct announcement all = announcement_of(pending->spec, pending->ifindex);
		if (!pending_link_announces(pending, false))
			continue;
		pthread_mutex_lock(&group->context->mutex);
		announce_rest(&group->context->used_sockets, &all);
		pthread_mutex_unlock(&group->context->mutex);
	}
}

/* The links that were there before delete outdated entries instead of receiving announcements. */
static void group_announce_via_parent(struct group *group)
{
	for (size_t i = 0; i < group->n_pending_links; i++) {
		const struct pending_link *pending = &group->pending_links[i];
		const struct announcement all = announcement_of(pending->spec, pending->ifindex);
		if (!pending_link_announces(pending, true))
			continue;
		pthread_mutex_lock(&group->context->mutex);
		announce_via_parent(group->context, pending->parent, &all);
		if (pending->spec->shares_parent)
			neighbors_note(group->context, &all);
		pthread_mutex_unlock(&group->context->mutex);
	}
}

/* All operations after the link was created. */
static void group_finish(struct group *group)
{
	struct error error;
	if (netns_enter(group->ns->handle->fd, &error) < 0) {
		group_broke(group, OP_SYSCTL_SET, &error);
		return;
	}
	for (size_t i = 0; i < group->n_pending_links; i++)
		sysctls_do(&group->pending_links[i], 0, group->pending_links[i].details);
	details_do(group);
	for (size_t i = 0; i < group->n_pending_links; i++)
		sysctls_do(&group->pending_links[i], group->pending_links[i].details_end,
			   group->pending_links[i].operations.count);
	if (!group->context->silent)
		group_announce(group);
	netns_return(group->context->host->handle->fd);
	group_announce_via_parent(group);
}

/* Rules and routes by other links do not disappear with the link. */
static void policy_undo_create(struct group *group, const struct link_spec *spec)
{
	struct error ignored;
	struct arena *arena __attribute__((cleanup(arena_cleanup))) = arena_new();
	struct batch *batch __attribute__((cleanup(batch_cleanup))) = batch_new();
	const struct operations operations = policy_operations(arena, &spec->policy);
	for (size_t i = 0; i < operations.count; i++)
		queue_operation(batch, &operations.all[i], spec, 0);
	if (batch_count(batch))
		(void)batch_send(group->netlink, batch, &ignored);
}

static void group_undo_create(struct group *group)
{
	for (size_t i = 0; i < group->n_pending_links; i++) {
		const struct pending_link *pending = &group->pending_links[i];
		if (!pending_link_failed(pending) || !pending->there)
			continue;
		policy_undo_create(group, pending->spec);
		link_undo_create(group->netlink, pending->ifindex);
	}
}

static void group_make(struct group *group)
{
	struct error error;
	struct arena *arena __attribute__((cleanup(arena_cleanup))) = arena_new();
	for (size_t i = 0; i < group->n_pending_links; i++) {
		struct pending_link *pending = &group->pending_links[i];
		pending->operations = create_operations(arena, pending->spec);
		details_find(pending);
	}
	group->netlink = ns_socket(group->context, group->ns, &error);
	if (!group->netlink) {
		group_broke(group, OP_LINK_NEW, &error);
		return;
	}
	links_create(group);
	group_finish(group);
	group_undo_create(group);
}

/* What a link keeps when another program moves it: the move destroys its in_device and inet6_dev
 * (dev_change_net_namespace). */
static const struct link_spec *spec_handed_over(const struct apply_context *context,
						const struct link_spec *spec, struct arena *arena)
{
	struct link_spec *bare = arena_alloc(arena, sizeof(*bare));
	*bare = *spec;
	bare->ns = context->host;
	bare->down = true;
	bare->n_addrs = bare->n_routes = bare->n_sysctls = 0;
	bare->policy = (struct policy){0};
	return bare;
}

static const struct link_spec *spec_created(const struct apply_context *context,
					    const struct step *step, struct arena *arena)
{
	return context->handed_over && role_in_container(step->tag->role)
		       ? spec_handed_over(context, step->desired, arena)
		       : step->desired;
}

void creates_do(struct apply_context *context, const struct stage_item *items, size_t count)
{
	struct group group = {.context = context};
	struct arena *arena __attribute__((cleanup(arena_cleanup))) = arena_new();
	for (size_t i = 0; i < count; i++) {
		const struct link_spec *spec = spec_created(context, items[i].step, arena);
		struct outcome *outcome = &context->outcomes[step_number(context, items[i].step)];
		/* A replaced link that could not be deleted stays. */
		if (outcome->state == OUTCOME_FAILED)
			continue;
		group.ns = spec->ns;
		*array_push(arena, group.pending_links, group.n_pending_links) =
			(struct pending_link){
				.spec = spec,
				.outcome = outcome,
				.ifindex = ifindex_choose(context, spec),
				.via_parent = announces_via_parent(context, context->n_creates)};
	}
	if (group.n_pending_links)
		group_make(&group);
}

int create_one(struct apply_context *context, const struct link_spec *spec, int ifindex,
	       struct outcome *outcome)
{
	struct pending_link pending = {.spec = spec, .outcome = outcome, .ifindex = ifindex};
	struct group group = {.context = context,
			      .ns = spec->ns,
			      .pending_links = &pending,
			      .n_pending_links = 1};
	group_make(&group);
	return pending_link_failed(&pending) ? 0 : pending.ifindex;
}
