/* Creates links in their namespaces. */
#include "reconcile/apply/create_internal.h"

#include "kernel/netns.h"
#include "kernel/nsid.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <stdio.h>

static int index_take(const struct nlmsghdr *message, void *data, struct error *error)
{
	const struct ifinfomsg *link = mnl_nlmsg_get_payload(message);
	if (mnl_nlmsg_get_payload_len(message) < sizeof(*link))
		return error_set(error, EBADMSG, "malformed link");
	*(int *)data = link->ifi_index;
	return 0;
}

int link_index_find(struct netlink *netlink, const char *name, int *ret, struct error *error)
{
	union message request;
	encode_link_find(&request, name);
	return netlink_request(netlink, &request.header, index_take, ret, error);
}

/* The parent may have been created by an earlier step. */
static bool parent_find(struct group *group, struct pending_link *pending)
{
	const struct link_spec *spec = pending->spec;
	struct error error;
	pending->parent = spec->parent || !spec->parent_name
				  ? spec->parent
				  : made_parent(group->context, spec->parent_name);
	if (pending->parent || !spec->parent_name)
		return true;
	pthread_mutex_lock(&group->context->mutex);
	struct netlink *netlink = ns_socket(group->context, group->context->host, &error);
	const bool found = netlink && link_index_find(netlink, spec->parent_name, &pending->parent,
						      &error) == 0;
	pthread_mutex_unlock(&group->context->mutex);
	if (found)
		return true;
	error_prepend(&error, "parent %s", spec->parent_name);
	const struct operation_context operation_at = pending_operation(pending, OP_LINK_NEW);
	outcome_broke(pending->outcome, &operation_at, &error);
	return false;
}

/* Whether the link is set up directly, as no sysctl has to be set before. */
static bool is_set_up_directly(const struct pending_link *pending)
{
	const struct operations *operations = &pending->operations;
	return operations->count > 2 && operations->all[2].type == OP_LINK_UP;
}

/* The kernel works through a datagram whole, so that no managed link is ever without its tag. The
 * creating message cannot have it: the kernel ignores IFLA_IFALIAS there (rtnl_create_link). */
static void queue_creation(struct group *group, struct pending_link *pending, struct batch *batch)
{
	union message message;
	const struct link_creation creation = {.ifindex = pending->ifindex,
					       .name = pending->spec->name,
					       .parent = pending->parent,
					       .other_netns = !group->ns->host,
					       .nsid = group->host_nsid};
	pending->first = batch_count(batch);
	pending->up_at_once = is_set_up_directly(pending);
	queue(batch, encode_link_create(&message, pending->spec, &creation), &message, false);
	queue_settings(batch, &pending->operations.all[1], pending->up_at_once ? 2 : 1,
		       pending->spec, pending->ifindex, true);
}

void link_undo_create(struct netlink *netlink, int ifindex)
{
	union message message;
	struct error error;
	struct batch *batch __attribute__((cleanup(batch_cleanup))) = batch_new();
	queue(batch, encode_link_delete(&message, ifindex), &message, false);
	(void)batch_send(netlink, batch, &error);
}

/* The kernel's reply was lost: the link may exist all the same. */
static void uncertain_undo_create(struct netlink *netlink, const char *name, int ifindex)
{
	int found;
	struct error error;
	if (link_index_find(netlink, name, &found, &error) == 0 && found == ifindex)
		link_undo_create(netlink, ifindex);
}

/* A temporary name in the host's namespace. */
static void temporary_name(const struct pending_link *pending, char name[IFNAMSIZ])
{
	snprintf(name, IFNAMSIZ, TEMPORARY_PREFIX "%08x", (unsigned)pending->ifindex);
}

/* Records which of the first `n` operations failed; later ones fail only because an earlier one
 * did.
 */
static bool replies_check(struct pending_link *pending, const struct batch *batch, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const struct reply *reply = batch_reply(batch, pending->first + i);
		if (!reply->errnum)
			continue;
		const struct operation_context context = operation_context_of(
			&pending->operations.all[i], pending->spec->ns, pending->spec);
		outcome_refused(pending->outcome, &context, reply);
		return false;
	}
	return true;
}

/* The caller has locked the host's socket. */
static void make_and_move_locked(struct group *group, struct pending_link *pending)
{
	union message message;
	struct error error;
	char name[IFNAMSIZ];
	struct batch *batch __attribute__((cleanup(batch_cleanup))) = batch_new();
	const struct operation_context operation_at = pending_operation(pending, OP_LINK_MOVE);
	struct netlink *host = ns_socket(group->context, group->context->host, &error);

	pending->first = 0;
	temporary_name(pending, name);
	const struct link_creation creation = {
		.ifindex = pending->ifindex, .name = name, .parent = pending->parent};
	queue(batch, encode_link_create(&message, pending->spec, &creation), &message, false);
	queue(batch, encode_link_alias(&message, pending->ifindex, pending->spec->alias), &message,
	      true);
	queue(batch,
	      encode_link_move(&message, pending->ifindex, group->ns->handle->fd,
			       pending->spec->name),
	      &message, true);
	if (!host || batch_send(host, batch, &error) < 0) {
		outcome_broke(pending->outcome, &operation_at, &error);
		if (host)
			uncertain_undo_create(host, name, pending->ifindex);
		uncertain_undo_create(group->netlink, pending->spec->name, pending->ifindex);
		return;
	}
	/* The kernel moves the link first and then detects that the name is in use. */
	if (!batch_reply(batch, 0)->errnum && batch_reply(batch, 2)->errnum) {
		uncertain_undo_create(host, name, pending->ifindex);
		uncertain_undo_create(group->netlink, name, pending->ifindex);
	}
	/* The move may have changed its ifindex. A moved link exists even without its owner tag. */
	pending->there = !batch_reply(batch, 2)->errnum;
	int status = pending->there ? link_index_find(group->netlink, pending->spec->name,
						      &pending->ifindex, &error)
				    : 0;
	if (replies_check(pending, batch, 3) && status < 0)
		outcome_broke(pending->outcome, &operation_at, &error);
}

/* Older kernels ignore the target namespace: they create a link in its parent's namespace first,
 * and refuse a name that is taken there. So create it there under another name, tag it, and move
 * it. The tag is a message of its own: the link has it even if the move fails. */
static void make_and_move(struct group *group, struct pending_link *pending)
{
	struct apply_context *context = group->context;
	pending->ifindex = ifindex_choose(context, pending->spec);
	pthread_mutex_lock(&context->mutex);
	make_and_move_locked(group, pending);
	pthread_mutex_unlock(&context->mutex);
	if (pending->there && !pending_link_failed(pending))
		context->create_then_move = true;
}

/* The errors of kernels that cannot create links in other namespaces, or not under that name. */
static bool suggests_create_then_move(const struct group *group, const struct reply *reply)
{
	return !group->ns->host &&
	       (reply->errnum == EEXIST || reply->errnum == EBUSY || reply->errnum == EINVAL);
}

/* The message that tags the link and sets it up was refused for one of both: tag it separately.
 * Setting it up is tried again with the rest. */
static void tag_separately(const struct group *group, struct pending_link *pending)
{
	struct error error;
	struct batch *batch __attribute__((cleanup(batch_cleanup))) = batch_new();
	const struct operation_context operation_at = pending_operation(pending, OP_LINK_ALIAS);
	queue_settings(batch, &pending->operations.all[1], 1, pending->spec, pending->ifindex,
		       false);
	if (batch_send(group->netlink, batch, &error) < 0)
		outcome_broke(pending->outcome, &operation_at, &error);
	else if (batch_reply(batch, 0)->errnum)
		outcome_refused(pending->outcome, &operation_at, batch_reply(batch, 0));
}

static void creation_check(struct group *group, struct pending_link *pending,
			   const struct batch *batch)
{
	const struct reply *created = batch_reply(batch, pending->first);
	if (suggests_create_then_move(group, created)) {
		make_and_move(group, pending);
		return;
	}
	pending->there = !created->errnum;
	if (!pending->there || !pending->up_at_once)
		replies_check(pending, batch, 2);
	else if (batch_reply(batch, pending->first + 1)->errnum)
		tag_separately(group, pending);
	else
		pending->details++;
}

void links_create(struct group *group)
{
	struct error error;
	struct batch *batch __attribute__((cleanup(batch_cleanup))) = batch_new();
	const bool create_then_move = group->context->create_then_move && !group->ns->host;
	if (!group->ns->host && !create_then_move &&
	    nsid_ensure(group->netlink, group->context->host->handle->fd, &group->host_nsid,
			&error) < 0) {
		group_broke(group, OP_LINK_NEW, &error);
		return;
	}
	for (size_t i = 0; i < group->n_pending_links; i++) {
		struct pending_link *pending = &group->pending_links[i];
		if (!parent_find(group, pending))
			continue;
		if (create_then_move)
			make_and_move(group, pending);
		else
			queue_creation(group, pending, batch);
	}
	if (create_then_move)
		return;
	int status = group_send(group, batch, &error);
	if (status < 0)
		group_broke(group, OP_LINK_NEW, &error);
	for (size_t i = 0; i < group->n_pending_links; i++) {
		struct pending_link *pending = &group->pending_links[i];
		if (status < 0)
			uncertain_undo_create(group->netlink, pending->spec->name,
					      pending->ifindex);
		else if (!pending_link_failed(pending))
			creation_check(group, pending, batch);
	}
}
