/* Making links in the namespaces that they are for. */
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
	return netlink_ask(netlink, &request.header, index_take, ret, error);
}

/* The parent may have been made by an earlier step. */
static bool parent_find(struct group *group, struct making *making)
{
	const struct link_spec *spec = making->spec;
	struct error error;
	making->parent = spec->parent || !spec->parent_name
				 ? spec->parent
				 : made_parent(group->applier, spec->parent_name);
	if (making->parent || !spec->parent_name)
		return true;
	struct netlink *netlink = ns_socket(group->applier, group->applier->host, &error);
	if (netlink && link_index_find(netlink, spec->parent_name, &making->parent, &error) == 0)
		return true;
	error_prepend(&error, "parent %s", spec->parent_name);
	const struct doing doing = making_doing(making, DEED_CREATE);
	outcome_broke(making->outcome, &doing, &error);
	return false;
}

/* The kernel works through a datagram whole, so that no link of ours is ever without its mark. */
static void queue_birth(struct group *group, struct making *making, struct batch *batch)
{
	union message message;
	const struct birth birth = {.ifindex = making->ifindex,
				    .name = making->spec->name,
				    .parent = making->parent,
				    .elsewhere = !group->ns->host,
				    .nsid = group->host_nsid};
	making->first = batch_count(batch);
	queue(batch, encode_link_create(&message, making->spec, &birth), &message, false);
	queue(batch, encode_link_alias(&message, making->ifindex, making->spec->alias), &message,
	      true);
}

void link_take_back(struct netlink *netlink, int ifindex)
{
	union message message;
	struct error error;
	struct batch *batch __attribute__((cleanup(batch_cleanup))) = batch_new();
	queue(batch, encode_link_delete(&message, ifindex), &message, false);
	(void)batch_send(netlink, batch, &error);
}

/* The kernel was asked, but what it said got lost: the link may be there all the same. */
static void doubtful_take_back(struct netlink *netlink, const char *name, int ifindex)
{
	int found;
	struct error error;
	if (link_index_find(netlink, name, &found, &error) == 0 && found == ifindex)
		link_take_back(netlink, ifindex);
}

/* A name in the host's namespace for the time being. */
static void temporary_name(const struct making *making, char name[IFNAMSIZ])
{
	snprintf(name, IFNAMSIZ, TEMPORARY_PREFIX "%08x", (unsigned)making->ifindex);
}

/* Notes which of create, alias and move failed; the later ones fail only because an earlier did. */
static bool replies_check(struct making *making, const struct batch *batch, const enum deed deeds[],
			  size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const struct reply *reply = batch_reply(batch, making->first + i);
		if (!reply->errnum)
			continue;
		const struct doing doing = making_doing(making, deeds[i]);
		outcome_refused(making->outcome, &doing, reply);
		return false;
	}
	return true;
}

/* Older kernels make a link in its parent's namespace first whatever they are told, and stumble
 * over a name that is taken there: so make it there under another name, mark it, and move it. */
static void make_and_move(struct group *group, struct making *making)
{
	static const enum deed deeds[] = {DEED_CREATE, DEED_ALIAS, DEED_MOVE};
	union message message;
	struct error error;
	char name[IFNAMSIZ];
	struct batch *batch __attribute__((cleanup(batch_cleanup))) = batch_new();
	const struct doing doing = making_doing(making, DEED_MOVE);
	struct netlink *host = ns_socket(group->applier, group->applier->host, &error);

	making->ifindex = ifindex_choose(group->applier, making->spec);
	making->first = 0;
	temporary_name(making, name);
	const struct birth birth = {
		.ifindex = making->ifindex, .name = name, .parent = making->parent};
	queue(batch, encode_link_create(&message, making->spec, &birth), &message, false);
	queue(batch, encode_link_alias(&message, making->ifindex, making->spec->alias), &message,
	      true);
	queue(batch,
	      encode_link_move(&message, making->ifindex, group->ns->handle->fd,
			       making->spec->name),
	      &message, true);
	if (!host || batch_send(host, batch, &error) < 0) {
		outcome_broke(making->outcome, &doing, &error);
		if (host)
			doubtful_take_back(host, name, making->ifindex);
		doubtful_take_back(group->netlink, making->spec->name, making->ifindex);
		return;
	}
	/* A kernel moves first, and then finds that the name is taken. */
	if (!batch_reply(batch, 0)->errnum && batch_reply(batch, 2)->errnum) {
		doubtful_take_back(host, name, making->ifindex);
		doubtful_take_back(group->netlink, name, making->ifindex);
	}
	/* The move may have given it another ifindex. Moved, it is there also without its mark. */
	making->there = !batch_reply(batch, 2)->errnum;
	int status = making->there ? link_index_find(group->netlink, making->spec->name,
						     &making->ifindex, &error)
				   : 0;
	if (replies_check(making, batch, deeds, 3) && status < 0)
		outcome_broke(making->outcome, &doing, &error);
}

/* What a kernel says that cannot make links in other namespaces, or not under that name. */
static bool suggests_old_way(const struct group *group, const struct reply *reply)
{
	return !group->ns->host &&
	       (reply->errnum == EEXIST || reply->errnum == EBUSY || reply->errnum == EINVAL);
}

static void birth_check(struct group *group, struct making *making, const struct batch *batch)
{
	static const enum deed deeds[] = {DEED_CREATE, DEED_ALIAS};
	const struct reply *created = batch_reply(batch, making->first);
	if (suggests_old_way(group, created)) {
		make_and_move(group, making);
		group->applier->old_way |= making->there && !making_failed(making);
		return;
	}
	making->there = !created->errnum;
	replies_check(making, batch, deeds, 2);
}

void births_do(struct group *group)
{
	struct error error;
	struct batch *batch __attribute__((cleanup(batch_cleanup))) = batch_new();
	const bool old_way = group->applier->old_way && !group->ns->host;
	if (!group->ns->host && !old_way &&
	    nsid_ensure(group->netlink, group->applier->host->handle->fd, &group->host_nsid,
			&error) < 0) {
		group_broke(group, DEED_CREATE, &error);
		return;
	}
	for (size_t i = 0; i < group->n_makings; i++) {
		struct making *making = &group->makings[i];
		if (!parent_find(group, making))
			continue;
		if (old_way)
			make_and_move(group, making);
		else
			queue_birth(group, making, batch);
	}
	if (old_way)
		return;
	int status = batch_send(group->netlink, batch, &error);
	if (status < 0)
		group_broke(group, DEED_CREATE, &error);
	for (size_t i = 0; i < group->n_makings; i++) {
		struct making *making = &group->makings[i];
		if (status < 0)
			doubtful_take_back(group->netlink, making->spec->name, making->ifindex);
		else if (!making_failed(making))
			birth_check(group, making, batch);
	}
}
