/* Changes links in place. */
#include "reconcile/apply/internal.h"

#include "kernel/netns.h"
#include "reconcile/rollback/snapshot.h"

#include <errno.h>
#include <linux/if_addr.h>

struct changing {
	struct apply_context *context;
	const struct step *step;
	struct outcome *outcome;
	struct netlink *netlink; /* in its namespace */
	int ifindex;
	const char *name;               /* its current name */
	bool flushed;                   /* a rename has set it down */
	const struct snapshot **others; /* context->others, of this step */
};

static struct operation_context context_of(const struct changing *changing,
					   const struct operation *operation)
{
	struct operation_context context =
		operation_context_of(operation, changing->step->ns, changing->step->desired);
	context.link = changing->name;
	return context;
}

static void operation_broke(struct changing *changing, const struct operation *operation,
			    const struct error *error)
{
	const struct operation_context context = context_of(changing, operation);
	outcome_broke(changing->outcome, &context, error);
}

static void operation_refused(struct changing *changing, const struct operation *operation,
			      const struct reply *reply)
{
	const struct operation_context context = context_of(changing, operation);
	outcome_refused(changing->outcome, &context, reply);
}

static bool changing_begin(struct apply_context *context, const struct step *step, int ifindex,
			   const char *name, struct changing *ret)
{
	struct error error;
	const size_t number = step_number(context, step);
	*ret = (struct changing){.context = context,
				 .step = step,
				 .outcome = &context->outcomes[number],
				 .others = &context->others[number],
				 .ifindex = ifindex,
				 .name = name};
	ret->netlink = ns_socket(context, step->ns, &error);
	if (ret->netlink)
		return true;
	error_prepend(&error, "cannot change %s in namespace %s", name, step->ns->name);
	outcome_fail(ret->outcome, &error);
	return false;
}

static bool is_gone_error(int errnum)
{
	return errnum == ESRCH || errnum == EADDRNOTAVAIL || errnum == ENODEV || errnum == ENOENT;
}

/* Sends one message; false: the kernel refused, and *ret is its reply. */
static bool message_send(struct changing *changing, const struct operation *operation,
			 struct reply *ret)
{
	struct error error;
	struct batch *batch __attribute__((cleanup(batch_cleanup))) = batch_new();
	queue_operation(batch, operation, changing->step->desired, changing->ifindex);
	if (batch_send(changing->netlink, batch, &error) < 0)
		operation_broke(changing, operation, &error);
	*ret = *batch_reply(batch, 0);
	return ret->errnum == 0;
}

static bool message_do(struct changing *changing, const struct operation *operation)
{
	struct reply reply;
	if (message_send(changing, operation, &reply))
		return true;
	operation_refused(changing, operation, &reply);
	return false;
}

/* Kernels before 6.2 cannot rename a link that is up, and flush one that is set down. */
static bool rename_down(struct changing *changing, const struct operation *rename)
{
	struct error error;
	struct arena *arena __attribute__((cleanup(arena_cleanup))) = arena_new();
	const struct snapshot *was =
		snapshot_down_take(changing->netlink, arena, changing->ifindex, &error);
	if (!was) {
		operation_broke(changing, rename, &error);
		return false;
	}
	if (!message_do(changing, &(struct operation){.type = OP_LINK_DOWN}))
		return false;
	changing->flushed = true;
	const bool renamed = message_do(changing, rename);
	if (message_do(changing, &(struct operation){.type = OP_LINK_UP}))
		snapshot_down_restore(changing->netlink, changing->ifindex, was);
	return renamed;
}

static void rename_do(struct changing *changing, const struct operation *rename)
{
	struct reply reply;
	bool renamed = message_send(changing, rename, &reply);
	if (!renamed && reply.errnum == EBUSY)
		renamed = rename_down(changing, rename);
	else if (!renamed)
		operation_refused(changing, rename, &reply);
	if (renamed)
		changing->name = rename->name;
}

static void sysctl_do(struct changing *changing, const struct operation *operation)
{
	struct error error;
	int status = netns_enter(changing->step->ns->handle->fd, &error);
	if (status == 0) {
		status = sysctl_put(operation->sysctl, changing->name, &error);
		netns_return(changing->context->host->handle->fd);
	}
	if (status < 0)
		operation_broke(changing, operation, &error);
}

/* Whether an unmanaged secondary address would be removed with the first one of its subnet. */
static bool others_follow(const struct changing *changing)
{
	const struct live_ns *ns = changing->step->ns;
	each_addr_of (addr, ns, changing->ifindex)
		if (addr->prefix.ip.family == AF_INET && addr->flags & IFA_F_SECONDARY &&
		    addr->proto != OWNER_TAG_PROTOCOL)
			return true;
	return false;
}

static int removals_send(const struct changing *changing, struct batch *batch, struct error *error)
{
	return others_follow(changing)
		       ? batch_send_promote_secondaries(changing->context, changing->netlink,
							changing->step->ns, changing->name, batch,
							error)
		       : batch_send(changing->netlink, batch, error);
}

/* The operations from this one on that are sent in one datagram: removals of an address with other
 * prefix lengths, and its addition. */
static size_t together_count(const struct operations *operations, size_t from)
{
	size_t count = 1;
	while (from + count < operations->count && operations->all[from + count].together)
		count++;
	return count;
}

/* The last reply is the relevant one. */
static void together_do(struct changing *changing, const struct operation *operations, size_t count)
{
	struct error error;
	struct batch *batch __attribute__((cleanup(batch_cleanup))) = batch_new();
	for (size_t i = 0; i < count; i++)
		queue_operation(batch, &operations[i], changing->step->desired, changing->ifindex);
	if (removals_send(changing, batch, &error) < 0)
		operation_broke(changing, &operations[count - 1], &error);
	const struct reply *reply = batch_reply(batch, count - 1);
	if (reply->errnum)
		operation_refused(changing, &operations[count - 1], reply);
}

/* Restores everything that the kernel flushed. Objects that the kernel kept still exist; another
 * link's route that replaced a managed one is kept. */
static void restore_do(struct changing *changing)
{
	struct error error;
	const struct link_spec *desired = changing->step->desired;
	struct batch *batch __attribute__((cleanup(batch_cleanup))) = batch_new();
	struct arena *arena __attribute__((cleanup(arena_cleanup))) = arena_new();
	const struct operations operations = restore_operations(arena, desired);
	for (size_t i = 0; i < operations.count; i++)
		queue_operation(batch, &operations.all[i], desired, changing->ifindex);
	if (batch_send(changing->netlink, batch, &error) < 0) {
		outcome_fail(changing->outcome, &error);
		return;
	}
	for (size_t i = 0; i < operations.count; i++) {
		const struct reply *reply = batch_reply(batch, i);
		const bool there =
			operations.all[i].type == OP_ROUTE_ADD && reply->errnum == EEXIST;
		if (reply->errnum && !there)
			operation_refused(changing, &operations.all[i], reply);
	}
	if (*changing->others)
		snapshot_routes_restore(changing->netlink, changing->ifindex, *changing->others);
}

/* The namespace may have the rule: for the routes of a link that this run deleted. */
static void rule_add_do(struct changing *changing, const struct operation *operation)
{
	struct reply reply;
	if (!message_send(changing, operation, &reply) && reply.errnum != EEXIST)
		operation_refused(changing, operation, &reply);
}

static void operation_do(struct changing *changing, const struct operation *operation)
{
	switch (operation->type) {
	case OP_LINK_RENAME:
		rename_do(changing, operation);
		break;
	case OP_SYSCTL_SET:
		sysctl_do(changing, operation);
		break;
	case OP_RESTORE:
		if (operation->certain || changing->flushed)
			restore_do(changing);
		break;
	case OP_LINK_ALIAS:
	case OP_LINK_MAC:
	case OP_LINK_MTU:
	case OP_LINK_MODE:
	case OP_LINK_BCQUEUELEN:
	case OP_LINK_BCLIM:
	case OP_LINK_IPVLAN_FLAG:
	case OP_LINK_TXQUEUELEN:
	case OP_LINK_PROMISC:
	case OP_LINK_ALLMULTICAST:
	case OP_LINK_UP:
	case OP_LINK_DOWN:
	case OP_ALTNAME_DELETE:
	case OP_ALTNAME_ADD:
	case OP_ADDR_DELETE:
	case OP_ADDR_ADD:
	case OP_ROUTE_DELETE:
	case OP_ROUTE_ADD:
	case OP_RULE_DELETE:
		message_do(changing, operation);
		break;
	case OP_RULE_ADD:
		rule_add_do(changing, operation);
		break;
	case OP_LEASE: /* leases_do handles all links together */
	case OP_LINK_NEW:
	case OP_LINK_MOVE:
	case OP_LINK_DELETE:
	case N_OPERATION_TYPES:
		break; /* not changed in place */
	}
}

/* The number of operations from this one on that fit into one message. */
static size_t settings_count(const struct operations *operations, size_t from, size_t end)
{
	size_t count = 0;
	while (from + count < end && operation_sets(&operations->all[from + count]))
		count++;
	return count;
}

static bool settings_send(const struct changing *changing, const struct operation *operations,
			  size_t count)
{
	struct error ignored;
	struct batch *batch __attribute__((cleanup(batch_cleanup))) = batch_new();
	queue_settings(batch, operations, count, changing->step->desired, changing->ifindex, false);
	return batch_send(changing->netlink, batch, &ignored) == 0 &&
	       !batch_reply(batch, 0)->errnum;
}

/* The kernel stops at the first attribute that it refuses, and does not report which. Then each is
 * sent by itself: setting one again is harmless. */
static void settings_do(struct changing *changing, const struct operation *operations, size_t count)
{
	const bool sent = settings_send(changing, operations, count);
	for (size_t i = 0; i < count; i++)
		if (!sent)
			operation_do(changing, &operations[i]);
		else if (operations[i].type == OP_LINK_RENAME)
			changing->name = operations[i].name;
}

/* The marks of another program's link come first: without them, nothing would undo the rest. */
static bool is_unmarked(const struct changing *changing)
{
	return changing->step->tag->role == ROLE_PARENT &&
	       changing->outcome->state == OUTCOME_FAILED;
}

static void operations_do(struct changing *changing, const struct operations *operations,
			  size_t end)
{
	for (size_t i = 0, count; i < end && !is_unmarked(changing); i += count) {
		const size_t settings = settings_count(operations, i, end);
		count = settings > 1 ? settings : together_count(operations, i);
		if (settings > 1)
			settings_do(changing, &operations->all[i], count);
		else if (count > 1)
			together_do(changing, &operations->all[i], count);
		else
			operation_do(changing, &operations->all[i]);
	}
}

static bool others_note(struct changing *changing)
{
	struct error error;
	if (!step_may_flush(changing->step))
		return true;
	*changing->others = snapshot_routes_take(changing->netlink, changing->context->arena,
						 changing->ifindex, &error);
	if (*changing->others)
		return true;
	error_prepend(&error, "cannot read the routes of %s in namespace %s", changing->name,
		      changing->step->ns->name);
	outcome_fail(changing->outcome, &error);
	return false;
}

static bool is_removal(const struct operation *operation)
{
	return operation->type == OP_ADDR_DELETE || operation->type == OP_ROUTE_DELETE ||
	       operation->type == OP_RULE_DELETE || operation->type == OP_ALTNAME_DELETE;
}

static void removals_check(struct changing *changing, const struct operations *operations,
			   size_t from, const struct batch *batch)
{
	for (size_t i = from; i < operations->count; i++) {
		const struct reply *reply = batch_reply(batch, i - from);
		if (reply->errnum && !is_gone_error(reply->errnum))
			operation_refused(changing, &operations->all[i], reply);
	}
}

/* Names and MACs, then all addresses and routes. */
static void give_up(struct changing *changing, const struct operations *operations)
{
	struct error error;
	struct batch *batch __attribute__((cleanup(batch_cleanup))) = batch_new();
	size_t from = 0;
	while (from < operations->count && !is_removal(&operations->all[from]))
		from++;
	operations_do(changing, operations, from);
	for (size_t i = from; i < operations->count; i++)
		queue_operation(batch, &operations->all[i], changing->step->desired,
				changing->ifindex);
	if (batch_count(batch) == 0)
		return;
	if (removals_send(changing, batch, &error) < 0)
		outcome_fail(changing->outcome, &error);
	else
		removals_check(changing, operations, from, batch);
}

void removals_do(struct apply_context *context, const struct stage_item *item)
{
	struct changing changing;
	struct arena *arena __attribute__((cleanup(arena_cleanup))) = arena_new();
	const struct live_link *link = item->step->current;
	if (!changing_begin(context, item->step, link->ifindex, link->name, &changing) ||
	    !others_note(&changing))
		return;
	const struct operations operations = stage_operations(arena, item);
	give_up(&changing, &operations);
}

/* Whether the LAN may know all addresses of the link at another place, or not at all. */
static bool changes_presence(const struct changing *changing, const struct operations *operations)
{
	bool changed = changing->flushed;
	for (size_t i = 0; i < operations->count; i++) {
		const enum operation_type type = operations->all[i].type;
		changed |= type == OP_LINK_MAC || type == OP_LINK_UP;
	}
	return changed;
}

/* Another prefix length is no news to the LAN. */
static bool had_address(const struct changing *changing, const struct ip *ip)
{
	each_addr_of (addr, changing->step->ns, changing->ifindex)
		if (ip_equal(&addr->prefix.ip, ip))
			return true;
	return false;
}

static struct announcement news_of(const struct changing *changing,
				   const struct operations *operations, struct arena *arena)
{
	struct announcement all = announcement_of(changing->step->desired, changing->ifindex);
	struct prefix *addrs = NULL;
	size_t n_addrs = 0;
	if (changes_presence(changing, operations))
		return all;
	for (size_t i = 0; i < all.n_addrs; i++)
		if (!had_address(changing, &all.addrs[i].ip))
			*array_push(arena, addrs, n_addrs) = all.addrs[i];
	all.addrs = addrs;
	all.n_addrs = n_addrs;
	return all;
}

static bool parent_announces(const struct changing *changing)
{
	const struct link_spec *desired = changing->step->desired;
	return announces_via_parent(changing->context, changing->context->n_changes) &&
	       desired->parent && !desired->parent_away &&
	       (desired->mac.set || link_kind_shares_mac(desired->kind));
}

static void change_announce(const struct changing *changing, const struct operations *operations,
			    struct arena *arena)
{
	struct error error;
	const struct link_spec *desired = changing->step->desired;
	const struct announcement news = news_of(changing, operations, arena);
	if (!news.n_addrs || !link_announces(desired))
		return;
	if (parent_announces(changing)) {
		announce_via_parent(changing->context, desired->parent, &news);
		neighbors_note(changing->context, &news);
	} else if (netns_enter(changing->step->ns->handle->fd, &error) == 0) {
		announce_in_netns(&changing->context->used_sockets, changing->netlink, &news);
		netns_return(changing->context->host->handle->fd);
	}
}

/* A failure does not stop the other changes: each is correct by itself. */
void changes_do(struct apply_context *context, const struct stage_item *item)
{
	struct changing changing;
	struct arena *arena __attribute__((cleanup(arena_cleanup))) = arena_new();
	char temporary[IFNAMSIZ];
	const struct step *step = item->step;
	const char *name =
		step->temporary.name ? step_temporary_name(step, temporary) : step->current->name;
	if (!changing_begin(context, step, step->current->ifindex, name, &changing))
		return;
	const struct operations operations = stage_operations(arena, item);
	operations_do(&changing, &operations, operations.count);
	change_announce(&changing, &operations, arena);
}

void made_rename(struct apply_context *context, const struct stage_item *item, int ifindex,
		 const char *name)
{
	struct changing changing;
	struct arena *arena __attribute__((cleanup(arena_cleanup))) = arena_new();
	if (!changing_begin(context, item->step, ifindex, name, &changing))
		return;
	const struct operations operations = stage_operations(arena, item);
	operations_do(&changing, &operations, operations.count);
	change_announce(&changing, &operations, arena);
}
