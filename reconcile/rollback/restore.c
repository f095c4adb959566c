#include "reconcile/rollback/snapshot.h"

#include "reconcile/rollback/snapshot_internal.h"

#include "kernel/rtnl_attributes.h"
#include "kernel/rtnl_decode.h"
#include "kernel/rtnl_encode.h"

#include <errno.h>
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>

struct restorer {
	struct netlink *netlink;
	struct arena *arena;
	const struct live_ns *ns;
	const struct live_link *link; /* NULL: the routes of other links of the namespace */
	const struct snapshot *was;
	bool best_effort; /* conflicting objects are kept, and refusals are not reported */
	struct batch *batch;
	const struct raw_message **
		requested; /* the object of each request of the batch; NULL: a failure is ignored */
	size_t n_requested;
};

static int size_compare(size_t a, size_t b)
{
	return (a > b) - (a < b);
}

static int raw_message_compare(const void *a, const void *b)
{
	const struct raw_message *left = a, *right = b;
	int order = size_compare(left->same, right->same);
	if (!order)
		order = size_compare(left->request->nlmsg_len, right->request->nlmsg_len);
	return order ? order : memcmp(left->request, right->request, left->same);
}

bool raw_message_equal(const struct raw_message *a, const struct raw_message *b)
{
	return raw_message_compare(a, b) == 0;
}

/* A sorted copy for raw_message_among. */
static const struct raw_message *raw_messages_sort(struct arena *arena,
						   const struct raw_message *all, size_t count)
{
	struct raw_message *sorted = arena_alloc(arena, count * sizeof(*sorted));
	if (count == 0)
		return sorted;
	memcpy(sorted, all, count * sizeof(*sorted));
	qsort(sorted, count, sizeof(*sorted), raw_message_compare);
	return sorted;
}

static bool raw_message_among(const struct raw_message *raw, const struct raw_message *sorted,
			      size_t count)
{
	return count && bsearch(raw, sorted, count, sizeof(*sorted), raw_message_compare);
}

static uint8_t family_of(const struct raw_message *raw)
{
	return *(const uint8_t *)mnl_nlmsg_get_payload(raw->request);
}

static void request_add(struct restorer *restorer, const struct raw_message *raw, uint16_t type,
			uint16_t flags, bool may_fail)
{
	union message request;
	memcpy(&request, raw->request, raw->request->nlmsg_len);
	request.header.nlmsg_type = type;
	request.header.nlmsg_flags = flags;
	batch_add(restorer->batch, &request.header, false);
	*array_push(restorer->arena, restorer->requested, restorer->n_requested) =
		may_fail ? NULL : raw;
}

static void addr_add(struct restorer *restorer, const struct raw_message *raw, bool may_fail)
{
	request_add(restorer, raw, RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, may_fail);
}

/* The link's own address; an IPv6 address without a peer has no IFA_LOCAL. */
static bool local_equal(const struct raw_message *a, const struct raw_message *b)
{
	const size_t header = sizeof(struct ifaddrmsg);
	return family_of(a) == family_of(b) &&
	       attr_equal(a->request, b->request, header, IFA_LOCAL) &&
	       (attr_find(a->request, header, IFA_LOCAL) ||
		attr_equal(a->request, b->request, header, IFA_ADDRESS));
}

static bool local_among(const struct raw_message *raw, const struct snapshot *all)
{
	for (size_t i = 0; i < all->n_addrs; i++)
		if (local_equal(raw, &all->addrs[i]))
			return true;
	return false;
}

/* The IPv4 addresses only, in their order. */
static struct snapshot ipv4_of(struct arena *arena, const struct snapshot *all)
{
	struct snapshot found = {0};
	for (size_t i = 0; i < all->n_addrs; i++)
		if (family_of(&all->addrs[i]) == AF_INET)
			*array_push(arena, found.addrs, found.n_addrs) = all->addrs[i];
	return found;
}

static void ipv4_restore(struct restorer *restorer, const struct snapshot *all)
{
	const struct snapshot was = ipv4_of(restorer->arena, restorer->was),
			      now = ipv4_of(restorer->arena, all);
	size_t right = 0;
	while (right < was.n_addrs && right < now.n_addrs &&
	       raw_message_equal(&was.addrs[right], &now.addrs[right]))
		right++;
	if (right == was.n_addrs)
		return;
	for (size_t i = right; i < now.n_addrs; i++)
		request_add(restorer, &now.addrs[i], RTM_DELADDR, 0, true);
	for (size_t i = right; i < was.n_addrs; i++)
		addr_add(restorer, &was.addrs[i], false);
	for (size_t i = right; i < now.n_addrs; i++)
		if (!local_among(&now.addrs[i], &was))
			addr_add(restorer, &now.addrs[i], true);
}

/* An address that the kernel gave the link when it was set up (addrconf_add_linklocal). A new
 * ipvlan link has another one than its predecessor (dev_id), which a third link may have already.
 */
static bool made_by_kernel(const struct raw_message *raw)
{
	uint8_t proto = 0;
	return family_of(raw) == AF_INET6 &&
	       attr_get(attr_find(raw->request, sizeof(struct ifaddrmsg), IFA_PROTO), &proto,
			sizeof(proto)) &&
	       proto == IFAPROT_KERNEL_LL;
}

static bool made_among(const struct snapshot *all)
{
	for (size_t i = 0; i < all->n_addrs; i++)
		if (made_by_kernel(&all->addrs[i]))
			return true;
	return false;
}

/* The kernel lists the newest first. */
static void ipv6_restore(struct restorer *restorer, const struct snapshot *now)
{
	const struct raw_message *sorted =
		raw_messages_sort(restorer->arena, now->addrs, now->n_addrs);
	for (size_t i = restorer->was->n_addrs; i > 0; i--) {
		const struct raw_message *raw = &restorer->was->addrs[i - 1];
		if (family_of(raw) != AF_INET6 || raw_message_among(raw, sorted, now->n_addrs) ||
		    (made_by_kernel(raw) && made_among(now)))
			continue;
		if (local_among(raw, now))
			request_add(restorer, raw, RTM_DELADDR, 0, true);
		addr_add(restorer, raw, made_by_kernel(raw));
	}
}

/* What the kernel compares before it replaces a route (fib_table_insert, fib6_add_rt2node). */
static bool place_same(const struct raw_message *one, const struct raw_message *two)
{
	static const uint16_t key[] = {RTA_TABLE, RTA_DST, RTA_PRIORITY};
	const struct rtmsg *header = mnl_nlmsg_get_payload(one->request),
			   *other = mnl_nlmsg_get_payload(two->request);
	bool same = header->rtm_family == other->rtm_family &&
		    header->rtm_dst_len == other->rtm_dst_len && header->rtm_tos == other->rtm_tos;
	for (size_t k = 0; same && k < sizeof(key) / sizeof(key[0]); k++)
		same = attr_equal(one->request, two->request, sizeof(*header), key[k]);
	return same;
}

static bool route_takes_place(const struct raw_message *raw, const struct snapshot *now)
{
	for (size_t i = 0; i < now->n_routes; i++)
		if (place_same(raw, &now->routes[i]))
			return true;
	return false;
}

static bool is_direct(const struct raw_message *raw)
{
	const size_t header = sizeof(struct rtmsg);
	return !attr_find(raw->request, header, RTA_GATEWAY) &&
	       !attr_find(raw->request, header, RTA_VIA) &&
	       !attr_find(raw->request, header, RTA_MULTIPATH) &&
	       !attr_find(raw->request, header, RTA_NH_ID);
}

/* Routes that next hops of others need come first. */
static void routes_restore(struct restorer *restorer, const struct snapshot *now)
{
	const struct snapshot *was = restorer->was;
	const struct raw_message *sorted =
		raw_messages_sort(restorer->arena, now->routes, now->n_routes);
	for (int through = 0; through <= 1; through++) {
		for (size_t i = 0; i < was->n_routes; i++) {
			const struct raw_message *raw = &was->routes[i];
			if (is_direct(raw) == through ||
			    raw_message_among(raw, sorted, now->n_routes))
				continue;
			const bool replace = !restorer->best_effort && route_takes_place(raw, now);
			request_add(restorer, raw, RTM_NEWROUTE,
				    NLM_F_CREATE | (replace ? NLM_F_REPLACE : NLM_F_EXCL),
				    restorer->best_effort);
		}
	}
}

/* Whether another program has put a route in its place meanwhile. */
static bool place_taken(const struct raw_message *raw, const struct snapshot *now,
			const struct raw_message *was, size_t n_was)
{
	for (size_t i = 0; i < now->n_routes; i++)
		if (place_same(raw, &now->routes[i]) &&
		    !raw_message_among(&now->routes[i], was, n_was))
			return true;
	return false;
}

/* Whether the kernel has left the IPv6 route without the address that was its source. */
static bool lost_source(struct restorer *restorer, const struct raw_message *raw,
			const struct raw_message *now, size_t n_now)
{
	if (family_of(raw) != AF_INET6 ||
	    !attr_find(raw->request, sizeof(struct rtmsg), RTA_PREFSRC))
		return false;
	struct raw_message without;
	return raw_message_without(restorer->arena, raw, sizeof(struct rtmsg), RTA_PREFSRC,
				   &without) &&
	       raw_message_among(&without, now, n_now);
}

/* The last first: the kernel puts a further IPv4 route before those with its place. */
static void others_restore(struct restorer *restorer, const struct snapshot *now)
{
	const struct snapshot *was = restorer->was;
	const struct raw_message *is =
		raw_messages_sort(restorer->arena, now->routes, now->n_routes);
	const struct raw_message *before =
		raw_messages_sort(restorer->arena, was->routes, was->n_routes);
	for (int through = 0; through <= 1; through++) {
		for (size_t i = was->n_routes; i > 0; i--) {
			const struct raw_message *raw = &was->routes[i - 1];
			if (is_direct(raw) == through || raw_message_among(raw, is, now->n_routes))
				continue;
			const bool replace = lost_source(restorer, raw, is, now->n_routes);
			if (replace || !place_taken(raw, now, before, was->n_routes))
				request_add(restorer, raw, RTM_NEWROUTE,
					    NLM_F_CREATE | (replace ? NLM_F_REPLACE : 0),
					    restorer->best_effort);
		}
	}
}

/* "route 10.9.0.0/16", "address 192.0.2.7/32". */
static const char *raw_message_name(struct arena *arena, const struct raw_message *raw)
{
	const bool route = raw->request->nlmsg_type == RTM_NEWROUTE;
	const size_t header = route ? sizeof(struct rtmsg) : sizeof(struct ifaddrmsg);
	/* Both headers begin with the family and the prefix length. */
	const uint8_t *first = mnl_nlmsg_get_payload(raw->request);
	struct prefix prefix = {.ip = {.family = first[0]}, .len = first[1]};
	const struct nlattr *attr =
		attr_find(raw->request, header, route ? (uint16_t)RTA_DST : (uint16_t)IFA_LOCAL);
	if (!attr && !route)
		attr = attr_find(raw->request, header, IFA_ADDRESS);
	if (attr && mnl_attr_get_payload_len(attr) <= sizeof(prefix.ip.bytes))
		memcpy(prefix.ip.bytes, mnl_attr_get_payload(attr), mnl_attr_get_payload_len(attr));
	char text[PREFIX_TEXT_SIZE];
	return arena_printf(arena, "%s %s", route ? "route" : "address",
			    prefix_format(&prefix, text));
}

static const char *owner_name(const struct restorer *restorer)
{
	return restorer->link ? restorer->link->name : "another program";
}

/* Sends the requests and reports refusals. */
static size_t batch_finish(struct restorer *restorer, rollback_report *report, void *data)
{
	struct error error;
	size_t failed = 0;
	(void)batch_send(restorer->netlink, restorer->batch, &error);
	for (size_t i = 0; i < restorer->n_requested; i++) {
		const struct reply *reply = batch_reply(restorer->batch, i);
		if (!reply->errnum || !restorer->requested[i])
			continue;
		failed++;
		report(arena_printf(restorer->arena,
				    "the %s of %s in %s cannot be restored: %s%s%s",
				    raw_message_name(restorer->arena, restorer->requested[i]),
				    owner_name(restorer), restorer->ns->name,
				    strerror(reply->errnum), *reply->text ? ": " : "", reply->text),
		       data);
	}
	return failed;
}

static size_t unreadable_report(const struct restorer *restorer, const struct error *error,
				rollback_report *report, void *data)
{
	report(arena_printf(restorer->arena,
			    "the addresses and routes of %s in %s cannot be read: %s",
			    owner_name(restorer), restorer->ns->name, error->text),
	       data);
	return 1;
}

typedef void put_back(struct restorer *restorer, const struct snapshot *now);

static void addrs_restore(struct restorer *restorer, const struct snapshot *now)
{
	ipv4_restore(restorer, now);
	ipv6_restore(restorer, now);
}

/* Returns how many could not be restored; 1 if the current state is unknown. */
static size_t part_restore(struct restorer *restorer, snapshot_reader *read, put_back *put,
			   rollback_report *report, void *data)
{
	struct error error;
	struct snapshot now = {0};
	const int ifindex = restorer->link ? restorer->link->ifindex : 0;
	if (read(restorer->netlink, restorer->arena, ifindex, &now, &error) < 0)
		return unreadable_report(restorer, &error, report, data);
	__attribute__((cleanup(batch_cleanup))) struct batch *batch = batch_new();
	restorer->batch = batch;
	restorer->requested = NULL;
	restorer->n_requested = 0;
	put(restorer, &now);
	return batch_finish(restorer, report, data);
}

static int link_take(const struct nlmsghdr *message, void *data, struct error *error)
{
	struct restorer *restorer = data;
	struct live_link link;
	struct parent_ref parent;
	(void)error;
	return decode_link(restorer->arena, message, &link, &parent) == DECODED &&
			       strcmp(link.alias, restorer->link->alias) == 0
		       ? 0
		       : -ENODEV;
}

/* 0, or -ENODEV: another link may have its ifindex now. */
static int link_check(struct restorer *restorer, struct error *error)
{
	union message request;
	encode_link_get(&request, restorer->link->ifindex);
	return netlink_request(restorer->netlink, &request.header, link_take, restorer, error);
}

size_t snapshot_restore(const struct live_ns *ns, const struct live_link *link,
			rollback_report *report, void *data)
{
	__attribute__((cleanup(arena_cleanup))) struct arena *arena = arena_new();
	struct error error;
	struct restorer restorer = {.arena = arena, .ns = ns, .link = link, .was = link->snapshot};
	if (!restorer.was)
		return 0;
	restorer.netlink = netlink_open(&error);
	const int status = restorer.netlink ? link_check(&restorer, &error) : -error.errnum;
	size_t failed = 0;
	if (status == 0) {
		/* The kernel flushes routes with their preferred source address. */
		failed = part_restore(&restorer, snapshot_addrs_read, addrs_restore, report, data);
		failed +=
			part_restore(&restorer, snapshot_routes_read, routes_restore, report, data);
	} else if (status != -ENODEV) {
		failed = unreadable_report(&restorer, &error, report, data);
	}
	netlink_close(restorer.netlink);
	return failed;
}

size_t other_routes_restore(const struct live_ns *ns, rollback_report *report, void *data)
{
	__attribute__((cleanup(arena_cleanup))) struct arena *arena = arena_new();
	struct error error;
	struct restorer restorer = {.arena = arena, .ns = ns, .was = ns->other_routes};
	if (!restorer.was || !restorer.was->n_routes)
		return 0;
	restorer.netlink = netlink_open(&error);
	const size_t failed = restorer.netlink ? part_restore(&restorer, namespace_routes_read,
							      others_restore, report, data)
					       : unreadable_report(&restorer, &error, report, data);
	netlink_close(restorer.netlink);
	return failed;
}

/* Sends what `put` adds for the objects that are missing now. */
static void missing_put(struct netlink *netlink, int ifindex, const struct snapshot *was,
			snapshot_reader *read, put_back *put)
{
	__attribute__((cleanup(arena_cleanup))) struct arena *arena = arena_new();
	__attribute__((cleanup(batch_cleanup))) struct batch *batch = batch_new();
	struct restorer restorer = {.netlink = netlink,
				    .arena = arena,
				    .was = was,
				    .best_effort = true,
				    .batch = batch};
	struct error ignored;
	struct snapshot now = {0};
	if (read(netlink, arena, ifindex, &now, &ignored) < 0)
		return;
	put(&restorer, &now);
	(void)batch_send(netlink, batch, &ignored);
}

void snapshot_routes_restore(struct netlink *netlink, int ifindex, const struct snapshot *was)
{
	if (was->n_routes)
		missing_put(netlink, ifindex, was, snapshot_routes_read, routes_restore);
}

void sourced_routes_restore(struct netlink *netlink, const struct snapshot *was)
{
	missing_put(netlink, 0, was, namespace_routes_read, others_restore);
}

/* Those that exist are not read again: the kernel refuses no second one. */
static void neighbors_restore(struct netlink *netlink, const struct snapshot *was)
{
	__attribute__((cleanup(batch_cleanup))) struct batch *batch = batch_new();
	struct error ignored;
	for (size_t i = 0; i < was->n_neighbors; i++)
		batch_add(batch, was->neighbors[i].request, false);
	if (was->n_neighbors)
		(void)batch_send(netlink, batch, &ignored);
}

/* Routes last: they may have one of the addresses as their source, or lead through a neighbour. */
void snapshot_down_restore(struct netlink *netlink, int ifindex, const struct snapshot *was)
{
	missing_put(netlink, ifindex, was, snapshot_addrs_read, ipv6_restore);
	neighbors_restore(netlink, was);
	snapshot_routes_restore(netlink, ifindex, was);
}
