#include "reconcile/rollback/snapshot.h"

#include "reconcile/rollback/snapshot_internal.h"

#include "kernel/rtnl_decode.h"
#include "kernel/rtnl_encode.h"

#include <errno.h>
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>

struct returning {
	struct netlink *netlink;
	struct arena *arena;
	const struct live_ns *ns;
	const struct live_link *link;
	const struct snapshot *was;
	bool best_effort; /* what conflicts by now stays, and what is refused is not reported */
	struct batch *batch;
	const struct words **asked; /* what each request of the batch is for; NULL: it may fail */
	size_t n_asked;
};

static int size_compare(size_t a, size_t b)
{
	return (a > b) - (a < b);
}

static int words_compare(const void *a, const void *b)
{
	const struct words *left = a, *right = b;
	int order = size_compare(left->same, right->same);
	if (!order)
		order = size_compare(left->request->nlmsg_len, right->request->nlmsg_len);
	return order ? order : memcmp(left->request, right->request, left->same);
}

static bool words_equal(const struct words *a, const struct words *b)
{
	return words_compare(a, b) == 0;
}

/* A copy of them in an order in which words_among finds one. */
static const struct words *words_sort(struct arena *arena, const struct words *all, size_t count)
{
	struct words *sorted = arena_alloc(arena, count * sizeof(*sorted));
	if (count == 0)
		return sorted;
	memcpy(sorted, all, count * sizeof(*sorted));
	qsort(sorted, count, sizeof(*sorted), words_compare);
	return sorted;
}

static bool words_among(const struct words *words, const struct words *sorted, size_t count)
{
	return count && bsearch(words, sorted, count, sizeof(*sorted), words_compare);
}

static uint8_t family_of(const struct words *words)
{
	return *(const uint8_t *)mnl_nlmsg_get_payload(words->request);
}

static void request_add(struct returning *returning, const struct words *words, uint16_t type,
			uint16_t flags, bool may_fail)
{
	union message request;
	memcpy(&request, words->request, words->request->nlmsg_len);
	request.header.nlmsg_type = type;
	request.header.nlmsg_flags = flags;
	batch_add(returning->batch, &request.header, false);
	*array_push(returning->arena, returning->asked, returning->n_asked) =
		may_fail ? NULL : words;
}

static void addr_add(struct returning *returning, const struct words *words, bool may_fail)
{
	request_add(returning, words, RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, may_fail);
}

/* That of the link itself; IPv6 has none where there is no peer. */
static bool local_equal(const struct words *a, const struct words *b)
{
	const size_t header = sizeof(struct ifaddrmsg);
	return family_of(a) == family_of(b) &&
	       attr_equal(a->request, b->request, header, IFA_LOCAL) &&
	       (attr_find(a->request, header, IFA_LOCAL) ||
		attr_equal(a->request, b->request, header, IFA_ADDRESS));
}

static bool local_among(const struct words *words, const struct snapshot *all)
{
	for (size_t i = 0; i < all->n_addrs; i++)
		if (local_equal(words, &all->addrs[i]))
			return true;
	return false;
}

/* The IPv4 addresses alone, in their order. */
static struct snapshot ipv4_of(struct arena *arena, const struct snapshot *all)
{
	struct snapshot found = {0};
	for (size_t i = 0; i < all->n_addrs; i++)
		if (family_of(&all->addrs[i]) == AF_INET)
			*array_push(arena, found.addrs, found.n_addrs) = all->addrs[i];
	return found;
}

static void ipv4_return(struct returning *returning, const struct snapshot *all)
{
	const struct snapshot was = ipv4_of(returning->arena, returning->was),
			      now = ipv4_of(returning->arena, all);
	size_t right = 0;
	while (right < was.n_addrs && right < now.n_addrs &&
	       words_equal(&was.addrs[right], &now.addrs[right]))
		right++;
	if (right == was.n_addrs)
		return;
	for (size_t i = right; i < now.n_addrs; i++)
		request_add(returning, &now.addrs[i], RTM_DELADDR, 0, true);
	for (size_t i = right; i < was.n_addrs; i++)
		addr_add(returning, &was.addrs[i], false);
	for (size_t i = right; i < now.n_addrs; i++)
		if (!local_among(&now.addrs[i], &was))
			addr_add(returning, &now.addrs[i], true);
}

/* The kernel lists the newest first. */
static void ipv6_return(struct returning *returning, const struct snapshot *now)
{
	const struct words *sorted = words_sort(returning->arena, now->addrs, now->n_addrs);
	for (size_t i = returning->was->n_addrs; i > 0; i--) {
		const struct words *words = &returning->was->addrs[i - 1];
		if (family_of(words) != AF_INET6 || words_among(words, sorted, now->n_addrs))
			continue;
		if (local_among(words, now))
			request_add(returning, words, RTM_DELADDR, 0, true);
		addr_add(returning, words, false);
	}
}

static bool route_takes_place(const struct words *words, const struct snapshot *now)
{
	static const uint16_t key[] = {RTA_TABLE, RTA_DST, RTA_PRIORITY};
	const struct rtmsg *header = mnl_nlmsg_get_payload(words->request);
	for (size_t i = 0; i < now->n_routes; i++) {
		const struct rtmsg *other = mnl_nlmsg_get_payload(now->routes[i].request);
		bool same = header->rtm_family == other->rtm_family &&
			    header->rtm_dst_len == other->rtm_dst_len &&
			    header->rtm_tos == other->rtm_tos;
		for (size_t k = 0; same && k < sizeof(key) / sizeof(key[0]); k++)
			same = attr_equal(words->request, now->routes[i].request, sizeof(*header),
					  key[k]);
		if (same)
			return true;
	}
	return false;
}

/* First those that the next hops of others need. */
static void routes_return(struct returning *returning, const struct snapshot *now)
{
	const struct snapshot *was = returning->was;
	const struct words *sorted = words_sort(returning->arena, now->routes, now->n_routes);
	for (int through = 0; through <= 1; through++) {
		for (size_t i = 0; i < was->n_routes; i++) {
			const struct words *words = &was->routes[i];
			const bool direct =
				!attr_find(words->request, sizeof(struct rtmsg), RTA_GATEWAY) &&
				!attr_find(words->request, sizeof(struct rtmsg), RTA_MULTIPATH);
			if (direct != !through || words_among(words, sorted, now->n_routes))
				continue;
			const bool replace =
				!returning->best_effort && route_takes_place(words, now);
			request_add(returning, words, RTM_NEWROUTE,
				    NLM_F_CREATE | (replace ? NLM_F_REPLACE : NLM_F_EXCL),
				    returning->best_effort);
		}
	}
}

/* "route 10.9.0.0/16", "address 192.0.2.7/32". */
static const char *words_name(struct arena *arena, const struct words *words)
{
	const bool route = words->request->nlmsg_type == RTM_NEWROUTE;
	const size_t header = route ? sizeof(struct rtmsg) : sizeof(struct ifaddrmsg);
	/* Both begin with the family and the length of the prefix. */
	const uint8_t *first = mnl_nlmsg_get_payload(words->request);
	struct prefix prefix = {.ip = {.family = first[0]}, .len = first[1]};
	const struct nlattr *attr =
		attr_find(words->request, header, route ? (uint16_t)RTA_DST : (uint16_t)IFA_LOCAL);
	if (!attr && !route)
		attr = attr_find(words->request, header, IFA_ADDRESS);
	if (attr && mnl_attr_get_payload_len(attr) <= sizeof(prefix.ip.bytes))
		memcpy(prefix.ip.bytes, mnl_attr_get_payload(attr), mnl_attr_get_payload_len(attr));
	char text[PREFIX_TEXT_SIZE];
	return arena_printf(arena, "%s %s", route ? "route" : "address",
			    prefix_format(&prefix, text));
}

/* Sends what was asked for, and tells of what was refused. */
static size_t batch_finish(struct returning *returning, rollback_report *report, void *data)
{
	struct error error;
	size_t failed = 0;
	(void)batch_send(returning->netlink, returning->batch, &error);
	for (size_t i = 0; i < returning->n_asked; i++) {
		const struct reply *reply = batch_reply(returning->batch, i);
		if (!reply->errnum || !returning->asked[i])
			continue;
		failed++;
		report(arena_printf(returning->arena,
				    "the %s of %s in %s cannot be put back: %s%s%s",
				    words_name(returning->arena, returning->asked[i]),
				    returning->link->name, returning->ns->name,
				    strerror(reply->errnum), *reply->text ? ": " : "", reply->text),
		       data);
	}
	return failed;
}

static size_t unreadable_report(const struct returning *returning, const struct error *error,
				rollback_report *report, void *data)
{
	report(arena_printf(returning->arena,
			    "the addresses and routes of %s in %s cannot be seen: %s",
			    returning->link->name, returning->ns->name, error->text),
	       data);
	return 1;
}

typedef void put_back(struct returning *returning, const struct snapshot *now);

static void addrs_return(struct returning *returning, const struct snapshot *now)
{
	ipv4_return(returning, now);
	ipv6_return(returning, now);
}

/* Returns how many could not be put back; 1 if it is not known what is there. */
static size_t part_return(struct returning *returning, look *look_at, put_back *put,
			  rollback_report *report, void *data)
{
	struct error error;
	struct snapshot now = {0};
	if (look_at(returning->netlink, returning->arena, returning->link->ifindex, &now, &error) <
	    0)
		return unreadable_report(returning, &error, report, data);
	__attribute__((cleanup(batch_cleanup))) struct batch *batch = batch_new();
	returning->batch = batch;
	returning->asked = NULL;
	returning->n_asked = 0;
	put(returning, &now);
	return batch_finish(returning, report, data);
}

static int link_take(const struct nlmsghdr *message, void *data, struct error *error)
{
	struct returning *returning = data;
	struct live_link link;
	struct parent_ref parent;
	(void)error;
	return decode_link(returning->arena, message, &link, &parent) == DECODED &&
			       strcmp(link.alias, returning->link->alias) == 0
		       ? 0
		       : -ENODEV;
}

/* 0, or -ENODEV: another link may have its number by now. */
static int link_look(struct returning *returning, struct error *error)
{
	union message request;
	encode_link_get(&request, returning->link->ifindex);
	return netlink_ask(returning->netlink, &request.header, link_take, returning, error);
}

size_t snapshot_restore(const struct live_ns *ns, const struct live_link *link,
			rollback_report *report, void *data)
{
	__attribute__((cleanup(arena_cleanup))) struct arena *arena = arena_new();
	struct error error;
	struct returning returning = {
		.arena = arena, .ns = ns, .link = link, .was = link->snapshot};
	if (!returning.was)
		return 0;
	returning.netlink = netlink_open(&error);
	const int status = returning.netlink ? link_look(&returning, &error) : -error.errnum;
	size_t failed = 0;
	if (status == 0) {
		/* Routes go with the addresses that they name. */
		failed = part_return(&returning, addrs_look, addrs_return, report, data);
		failed += part_return(&returning, routes_look, routes_return, report, data);
	} else if (status != -ENODEV) {
		failed = unreadable_report(&returning, &error, report, data);
	}
	netlink_close(returning.netlink);
	return failed;
}

void snapshot_restore_unmanaged(struct netlink *netlink, int ifindex, const struct snapshot *was)
{
	__attribute__((cleanup(arena_cleanup))) struct arena *arena = arena_new();
	__attribute__((cleanup(batch_cleanup))) struct batch *batch = batch_new();
	struct returning returning = {.netlink = netlink,
				      .arena = arena,
				      .was = was,
				      .best_effort = true,
				      .batch = batch};
	struct error ignored;
	const struct snapshot *now = snapshot_unmanaged(netlink, arena, ifindex, &ignored);
	if (!now)
		return;
	routes_return(&returning, now);
	(void)batch_send(netlink, batch, &ignored);
}
