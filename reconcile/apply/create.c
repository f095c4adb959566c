/* Creating links: all there or not there. */
#include "reconcile/apply/create_internal.h"

#include "kernel/netns.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <stdio.h>

/* So many links may announce themselves to all others that are made with them: two thousand
 * deliveries take less than the packet socket's close. */
#define ANNOUNCE_INSIDE_MAX 64

bool pending_link_failed(const struct pending_link *pending)
{
	return pending->outcome->state == OUTCOME_FAILED;
}

struct operation_context making_operation(const struct pending_link *pending,
					  enum operation operation)
{
	return operation_of(operation, pending->spec->ns, pending->spec);
}

void group_broke(struct group *group, enum operation operation, const struct error *error)
{
	for (size_t i = 0; i < group->n_pending_links; i++) {
		struct pending_link *pending = &group->pending_links[i];
		const struct operation_context operation_at = making_operation(pending, operation);
		outcome_broke(pending->outcome, &operation_at, error);
	}
}

/* The thread is in the namespace. Before the link is up, so that they hold from the beginning, but
 * for those that would not last. */
static void sysctls_do(struct pending_link *pending, bool up)
{
	for (size_t i = 0; i < pending->spec->n_sysctls && !pending_link_failed(pending); i++) {
		const struct link_sysctl *sysctl = &pending->spec->sysctls[i];
		struct error error;
		if (sysctl_is_volatile(sysctl) != up ||
		    sysctl_put(sysctl, pending->spec->name, &error) == 0)
			continue;
		struct operation_context operation_at = making_operation(pending, OP_SYSCTL);
		snprintf(operation_at.detail, sizeof(operation_at.detail), "%s", sysctl->key);
		outcome_broke(pending->outcome, &operation_at, &error);
	}
}

void queue_details(struct batch *batch, const struct link_spec *spec, int ifindex, uint16_t flags,
		   uint16_t route_flags)
{
	union message message;
	for (size_t i = 0; i < spec->n_addrs; i++)
		queue(batch,
		      encode_addr_add(&message, ifindex, &spec->addrs[i],
				      link_spec_addr_terms(spec, &spec->addrs[i]), flags),
		      &message, false);
	for (size_t i = 0; i < spec->n_routes; i++)
		queue(batch,
		      encode_route_add(&message, ifindex, &spec->routes[i],
				       spec->routes[i].replaces ? NLM_F_REPLACE : route_flags),
		      &message, false);
}

struct operation_context detail_operation(const struct link_spec *spec, size_t number)
{
	const bool addr = number < spec->n_addrs;
	struct operation_context operation_at =
		operation_of(addr ? OP_ADDRESS : OP_ROUTE, spec->ns, spec);
	if (addr)
		operation_prefix(&operation_at, &spec->addrs[number]);
	else
		operation_route(&operation_at, &spec->routes[number - spec->n_addrs]);
	return operation_at;
}

static size_t details_count(const struct pending_link *pending)
{
	return 1 + pending->spec->n_addrs + pending->spec->n_routes;
}

static void details_check(struct pending_link *pending, const struct batch *batch)
{
	for (size_t i = 0; i < details_count(pending) && !pending_link_failed(pending); i++) {
		const struct reply *reply = batch_reply(batch, pending->first + i);
		if (!reply->errnum)
			continue;
		const struct operation_context operation_at =
			i ? detail_operation(pending->spec, i - 1)
			  : making_operation(pending, OP_UP);
		outcome_refused(pending->outcome, &operation_at, reply);
	}
}

/* Up, addresses, routes: of all links of the group together. What the kernel refuses is not waited
 * for, as the lock is held: EADDRINUSE may be a link of a namespace that died and is being taken
 * apart (cleanup_net), which is for the caller to try again (outcome_busy). */
static void details_do(struct group *group)
{
	union message message;
	struct error error;
	struct batch *batch __attribute__((cleanup(batch_cleanup))) = batch_new();
	for (size_t i = 0; i < group->n_pending_links; i++) {
		struct pending_link *pending = &group->pending_links[i];
		if (pending_link_failed(pending))
			continue;
		pending->first = batch_count(batch);
		queue(batch, encode_link_up(&message, pending->ifindex, !pending->spec->down),
		      &message, false);
		queue_details(batch, pending->spec, pending->ifindex, NLM_F_EXCL, NLM_F_EXCL);
	}
	if (batch_send(group->netlink, batch, &error) < 0)
		group_broke(group, OP_UP, &error);
	for (size_t i = 0; i < group->n_pending_links; i++)
		if (!pending_link_failed(&group->pending_links[i]))
			details_check(&group->pending_links[i], batch);
}

static bool pending_link_announces(const struct pending_link *pending, bool outside)
{
	return !pending_link_failed(pending) && link_announces(pending->spec) &&
	       pending->outside == outside;
}

/* The thread is in the namespace. What failed is taken back, and the LAN hears nothing of it. */
static void group_announce(struct group *group)
{
	struct error error;
	struct batch *batch __attribute__((cleanup(batch_cleanup))) = batch_new();
	for (size_t i = 0; i < group->n_pending_links; i++)
		if (pending_link_announces(&group->pending_links[i], false))
			queue_announcements(batch, group->pending_links[i].spec,
					    group->pending_links[i].ifindex);
	if (batch_count(batch))
		(void)batch_send(group->netlink, batch, &error);
	for (size_t i = 0; i < group->n_pending_links; i++)
		if (pending_link_announces(&group->pending_links[i], false))
			announce_rest(group->pending_links[i].ifindex,
				      group->pending_links[i].spec);
}

/* The first links on a parent are announced by the parent, where they are many: on the wire that is
 * the same. Each by itself would tell all those made before it, which have nothing to forget, and a
 * thousand links are half a million deliveries. */
static void group_announce_via_parent(struct group *group)
{
	for (size_t i = 0; i < group->n_pending_links; i++)
		if (pending_link_announces(&group->pending_links[i], true))
			announce_via_parent(group->context, group->pending_links[i].parent,
					    group->pending_links[i].spec);
}

/* Everything that comes after the link is there. */
static void group_finish(struct group *group)
{
	struct error error;
	if (netns_enter(group->ns->handle->fd, &error) < 0) {
		group_broke(group, OP_SYSCTL, &error);
		return;
	}
	for (size_t i = 0; i < group->n_pending_links; i++)
		sysctls_do(&group->pending_links[i], false);
	details_do(group);
	for (size_t i = 0; i < group->n_pending_links; i++)
		sysctls_do(&group->pending_links[i], true);
	group_announce(group);
	netns_return(group->context->host->handle->fd);
	group_announce_via_parent(group);
}

static void group_undo_create(struct group *group)
{
	for (size_t i = 0; i < group->n_pending_links; i++)
		if (pending_link_failed(&group->pending_links[i]) && group->pending_links[i].there)
			link_undo_create(group->netlink, group->pending_links[i].ifindex);
}

static void group_make(struct group *group)
{
	struct error error;
	group->netlink = ns_socket(group->context, group->ns, &error);
	if (!group->netlink) {
		group_broke(group, OP_CREATE, &error);
		return;
	}
	links_create(group);
	group_finish(group);
	group_undo_create(group);
}

void creates_do(struct apply_context *context, size_t from, size_t end)
{
	struct group group = {.context = context, .ns = context->plan->steps[from].desired->ns};
	struct arena *arena __attribute__((cleanup(arena_cleanup))) = arena_new();
	for (size_t i = from; i < end; i++) {
		/* A replaced link that could not be deleted stays as it is. */
		if (context->outcomes[i].state == OUTCOME_FAILED)
			continue;
		*array_push(arena, group.pending_links, group.n_pending_links) =
			(struct pending_link){
				.spec = context->plan->steps[i].desired,
				.outcome = &context->outcomes[i],
				.ifindex = ifindex_choose(context, context->plan->steps[i].desired),
				.outside = !context->plan->steps[i].desired->shares_parent &&
					   context->n_creates > ANNOUNCE_INSIDE_MAX};
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
