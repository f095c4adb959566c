#include "reconcile/verbatim.h"

#include "reconcile/decode.h"
#include "reconcile/encode.h"
#include "reconcile/netlink.h"

#include <errno.h>
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <string.h>

/* The flags that may be asked for (inet6_rtm_newaddr); the kernel sets others itself. */
#define ADDR_FLAGS                                                                                 \
	(IFA_F_NODAD | IFA_F_HOMEADDRESS | IFA_F_MANAGETEMPADDR | IFA_F_NOPREFIXROUTE |            \
	 IFA_F_MCAUTOJOIN | IFA_F_OPTIMISTIC)
#define ROUTE_FLAGS (RTNH_F_ONLINK | RTNH_F_PERVASIVE)

/* A request that makes what a listing told of. */
struct words {
	struct nlmsghdr *request;
	size_t same; /* bytes of it that are the same as long as it is: without lifetimes */
};

struct verbatim {
	struct words *addrs, *routes;
	size_t n_addrs, n_routes;
};

struct reading {
	struct arena *arena;
	int ifindex;
	bool others; /* nothing that is ours */
	struct verbatim *to;
};

/* The request is begun with the listing's own header, of that size. */
static void *request_begin(union message *request, const struct nlmsghdr *message, size_t header)
{
	memset(request, 0, sizeof(*request));
	struct nlmsghdr *begun = mnl_nlmsg_put_header(request);
	begun->nlmsg_type = message->nlmsg_type;
	begun->nlmsg_flags = NLM_F_CREATE | NLM_F_EXCL;
	return memcpy(mnl_nlmsg_put_extra_header(begun, header), mnl_nlmsg_get_payload(message),
		      header);
}

static bool attr_put(union message *request, const struct nlattr *attr)
{
	return mnl_attr_put_check(&request->header, sizeof(*request), mnl_attr_get_type(attr),
				  mnl_attr_get_payload_len(attr), mnl_attr_get_payload(attr));
}

static struct words words_keep(struct arena *arena, const union message *request, size_t same)
{
	const size_t size = request->header.nlmsg_len;
	return (struct words){memcpy(arena_alloc(arena, size), request, size), same};
}

/* The one after `attr`, or the first; NULL: there is none. */
static const struct nlattr *attr_next(const struct nlmsghdr *message, size_t header,
				      const struct nlattr *attr)
{
	const char *end = (const char *)message + message->nlmsg_len;
	const char *first = (const char *)mnl_nlmsg_get_payload(message) + MNL_ALIGN(header);
	attr = attr ? mnl_attr_next(attr) : (const void *)first;
	return mnl_attr_ok(attr, (int)(end - (const char *)attr)) ? attr : NULL;
}

static const struct nlattr *attr_find(const struct nlmsghdr *message, size_t header, uint16_t type)
{
	const struct nlattr *attr = attr_next(message, header, NULL);
	while (attr && mnl_attr_get_type(attr) != type)
		attr = attr_next(message, header, attr);
	return attr;
}

static uint32_t attr_u32(const struct nlmsghdr *message, size_t header, uint16_t type,
			 uint32_t absent)
{
	const struct nlattr *attr = attr_find(message, header, type);
	uint32_t value = absent;
	if (attr && mnl_attr_get_payload_len(attr) == sizeof(value))
		memcpy(&value, mnl_attr_get_payload(attr), sizeof(value));
	return value;
}

static bool attr_equal(const struct nlmsghdr *a, const struct nlmsghdr *b, size_t header,
		       uint16_t type)
{
	const struct nlattr *first = attr_find(a, header, type),
			    *second = attr_find(b, header, type);
	if (!first || !second)
		return first == second;
	return first->nla_len == second->nla_len && memcmp(first, second, first->nla_len) == 0;
}

static bool lasts(const struct nlattr *attr)
{
	const struct ifa_cacheinfo *info = mnl_attr_get_payload(attr);
	return mnl_attr_get_payload_len(attr) < sizeof(*info) || info->ifa_valid == UINT32_MAX;
}

static bool addr_words(struct arena *arena, const struct nlmsghdr *message, struct words *ret)
{
	union message request;
	struct ifaddrmsg *header = request_begin(&request, message, sizeof(*header));
	const struct nlattr *attr = NULL, *lifetimes = NULL;
	const uint32_t flags = attr_u32(message, sizeof(*header), IFA_FLAGS, header->ifa_flags);
	const uint32_t asked = flags & ADDR_FLAGS;
	bool fits = true;
	header->ifa_flags = 0;
	while ((attr = attr_next(message, sizeof(*header), attr))) {
		const uint16_t type = mnl_attr_get_type(attr);
		if (type == IFA_CACHEINFO)
			lifetimes = lasts(attr) ? NULL : attr;
		else if (type != IFA_FLAGS)
			fits &= attr_put(&request, attr);
	}
	fits &= mnl_attr_put_check(&request.header, sizeof(request), IFA_FLAGS, sizeof(asked),
				   &asked);
	const size_t same = request.header.nlmsg_len;
	if (lifetimes)
		fits &= attr_put(&request, lifetimes);
	*ret = words_keep(arena, &request, same);
	/* Those with a random identifier are made and left by the kernel. */
	return fits && !(header->ifa_family == AF_INET6 && flags & IFA_F_TEMPORARY);
}

static int addr_take(const struct nlmsghdr *message, void *data, struct error *error)
{
	struct reading *reading = data;
	const struct ifaddrmsg *header = mnl_nlmsg_get_payload(message);
	struct words words;
	(void)error;
	if (message->nlmsg_type == RTM_NEWADDR &&
	    mnl_nlmsg_get_payload_len(message) >= sizeof(*header) &&
	    header->ifa_index == (uint32_t)reading->ifindex &&
	    addr_words(reading->arena, message, &words))
		*array_push(reading->arena, reading->to->addrs, reading->to->n_addrs) = words;
	return 0;
}

/* Whether one of the next hops leads there; clears what the kernel tells of their state. */
static bool hops_clean(struct nlattr *multipath, int ifindex)
{
	struct rtnexthop *hop = mnl_attr_get_payload(multipath);
	int left = (int)mnl_attr_get_payload_len(multipath);
	bool found = false;
	while (RTNH_OK(hop, left)) {
		hop->rtnh_flags &= ROUTE_FLAGS;
		found |= hop->rtnh_ifindex == ifindex;
		left -= (int)RTNH_ALIGN(hop->rtnh_len);
		hop = RTNH_NEXT(hop);
	}
	return found;
}

/* A next hop that is an object of its own goes with its link: the listing tells what it is, too. */
static bool route_words(struct arena *arena, const struct nlmsghdr *message, int ifindex,
			struct words *ret)
{
	union message request;
	struct rtmsg *header = request_begin(&request, message, sizeof(*header));
	const struct nlattr *attr = NULL;
	bool fits = true, there = false;
	header->rtm_flags &= ROUTE_FLAGS;
	while ((attr = attr_next(message, sizeof(*header), attr))) {
		const uint16_t type = mnl_attr_get_type(attr);
		struct nlattr *copy =
			(void *)((char *)&request + MNL_ALIGN(request.header.nlmsg_len));
		if (type == RTA_CACHEINFO || type == RTA_NH_ID)
			continue;
		fits = fits && attr_put(&request, attr);
		if (type == RTA_MULTIPATH && fits)
			there |= hops_clean(copy, ifindex);
		else if (type == RTA_OIF)
			there |=
				attr_u32(message, sizeof(*header), RTA_OIF, 0) == (uint32_t)ifindex;
	}
	*ret = words_keep(arena, &request, request.header.nlmsg_len);
	return fits && there;
}

static int route_take(const struct nlmsghdr *message, void *data, struct error *error)
{
	struct reading *reading = data;
	const struct rtmsg *header = mnl_nlmsg_get_payload(message);
	struct words words;
	(void)error;
	if (message->nlmsg_type == RTM_NEWROUTE &&
	    mnl_nlmsg_get_payload_len(message) >= sizeof(*header) &&
	    header->rtm_protocol != RTPROT_KERNEL && header->rtm_protocol != RTPROT_RA &&
	    !(header->rtm_flags & RTM_F_CLONED) &&
	    !(reading->others && header->rtm_protocol == MARK_PROTOCOL) &&
	    route_words(reading->arena, message, reading->ifindex, &words))
		*array_push(reading->arena, reading->to->routes, reading->to->n_routes) = words;
	return 0;
}

static int addrs_read(struct netlink *netlink, struct reading *reading, struct error *error)
{
	union message request;
	encode_link_addrs_dump(&request, reading->ifindex);
	return netlink_dump(netlink, &request.header, addr_take, reading, error);
}

static int routes_read(struct netlink *netlink, struct reading *reading, struct error *error)
{
	union message request;
	encode_link_routes_dump(&request, reading->ifindex);
	return netlink_dump(netlink, &request.header, route_take, reading, error);
}

static struct verbatim *verbatim_now(struct netlink *netlink, struct arena *arena, int ifindex,
				     struct error *error)
{
	struct reading reading = {
		.arena = arena, .ifindex = ifindex, .to = arena_alloc(arena, sizeof(*reading.to))};
	return addrs_read(netlink, &reading, error) == 0 &&
			       routes_read(netlink, &reading, error) == 0
		       ? reading.to
		       : NULL;
}

int verbatim_read(struct live_ns *ns, struct live_link *link, struct error *error)
{
	struct netlink *netlink = netlink_open(error);
	link->verbatim = netlink ? verbatim_now(netlink, ns->arena, link->ifindex, error) : NULL;
	netlink_close(netlink);
	return link->verbatim ? 0 : -error->errnum;
}

/* --- putting back */

struct returning {
	struct netlink *netlink;
	struct arena *arena;
	const struct live_ns *ns;
	const struct live_link *link;
	const struct verbatim *was;
	bool gentle; /* what is in the way by now stays, and what is refused is not told */
	struct batch *batch;
	const struct words **asked; /* what each request of the batch is for; NULL: it may fail */
	size_t n_asked;
};

static bool words_equal(const struct words *a, const struct words *b)
{
	return a->same == b->same && a->request->nlmsg_len == b->request->nlmsg_len &&
	       memcmp(a->request, b->request, a->same) == 0;
}

static bool words_among(const struct words *words, const struct words *all, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (words_equal(words, &all[i]))
			return true;
	return false;
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

static bool local_among(const struct words *words, const struct verbatim *all)
{
	for (size_t i = 0; i < all->n_addrs; i++)
		if (local_equal(words, &all->addrs[i]))
			return true;
	return false;
}

/* The IPv4 addresses alone, in their order. */
static struct verbatim ipv4_of(struct arena *arena, const struct verbatim *all)
{
	struct verbatim found = {0};
	for (size_t i = 0; i < all->n_addrs; i++)
		if (family_of(&all->addrs[i]) == AF_INET)
			*array_push(arena, found.addrs, found.n_addrs) = all->addrs[i];
	return found;
}

static void ipv4_return(struct returning *returning, const struct verbatim *all)
{
	const struct verbatim was = ipv4_of(returning->arena, returning->was),
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
static void ipv6_return(struct returning *returning, const struct verbatim *now)
{
	for (size_t i = returning->was->n_addrs; i > 0; i--) {
		const struct words *words = &returning->was->addrs[i - 1];
		if (family_of(words) != AF_INET6 || words_among(words, now->addrs, now->n_addrs))
			continue;
		if (local_among(words, now))
			request_add(returning, words, RTM_DELADDR, 0, true);
		addr_add(returning, words, false);
	}
}

static bool route_takes_place(const struct words *words, const struct verbatim *now)
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
static void routes_return(struct returning *returning, const struct verbatim *now)
{
	const struct verbatim *was = returning->was;
	for (int through = 0; through <= 1; through++) {
		for (size_t i = 0; i < was->n_routes; i++) {
			const struct words *words = &was->routes[i];
			const bool direct =
				!attr_find(words->request, sizeof(struct rtmsg), RTA_GATEWAY) &&
				!attr_find(words->request, sizeof(struct rtmsg), RTA_MULTIPATH);
			if (direct != !through || words_among(words, now->routes, now->n_routes))
				continue;
			const bool replace = !returning->gentle && route_takes_place(words, now);
			request_add(returning, words, RTM_NEWROUTE,
				    NLM_F_CREATE | (replace ? NLM_F_REPLACE : NLM_F_EXCL),
				    returning->gentle);
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
static size_t batch_finish(struct returning *returning, revert_tell *tell, void *data)
{
	struct error error;
	size_t failed = 0;
	(void)batch_send(returning->netlink, returning->batch, &error);
	for (size_t i = 0; i < returning->n_asked; i++) {
		const struct reply *reply = batch_reply(returning->batch, i);
		if (!reply->errnum || !returning->asked[i])
			continue;
		failed++;
		tell(arena_printf(returning->arena, "the %s of %s in %s cannot be put back: %s%s%s",
				  words_name(returning->arena, returning->asked[i]),
				  returning->link->name, returning->ns->name,
				  strerror(reply->errnum), *reply->text ? ": " : "", reply->text),
		     data);
	}
	return failed;
}

static size_t unseen_tell(const struct returning *returning, const struct error *error,
			  revert_tell *tell, void *data)
{
	tell(arena_printf(returning->arena,
			  "the addresses and routes of %s in %s cannot be seen: %s",
			  returning->link->name, returning->ns->name, error->text),
	     data);
	return 1;
}

typedef void put_back(struct returning *returning, const struct verbatim *now);

static void addrs_return(struct returning *returning, const struct verbatim *now)
{
	ipv4_return(returning, now);
	ipv6_return(returning, now);
}

/* Returns how many could not be put back; 1 if it is not known what is there. */
static size_t part_return(struct returning *returning, put_back *put, revert_tell *tell, void *data)
{
	struct error error;
	const struct verbatim *now = verbatim_now(returning->netlink, returning->arena,
						  returning->link->ifindex, &error);
	if (!now)
		return unseen_tell(returning, &error, tell, data);
	__attribute__((cleanup(batch_cleanup))) struct batch *batch = batch_new();
	returning->batch = batch;
	returning->asked = NULL;
	returning->n_asked = 0;
	put(returning, now);
	return batch_finish(returning, tell, data);
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

size_t verbatim_return(const struct live_ns *ns, const struct live_link *link, revert_tell *tell,
		       void *data)
{
	__attribute__((cleanup(arena_cleanup))) struct arena *arena = arena_new();
	struct error error;
	struct returning returning = {
		.arena = arena, .ns = ns, .link = link, .was = link->verbatim};
	if (!returning.was)
		return 0;
	returning.netlink = netlink_open(&error);
	const int status = returning.netlink ? link_look(&returning, &error) : -error.errnum;
	size_t failed = 0;
	if (status == 0) {
		/* Routes go with the addresses that they name. */
		failed = part_return(&returning, addrs_return, tell, data);
		failed += part_return(&returning, routes_return, tell, data);
	} else if (status != -ENODEV) {
		failed = unseen_tell(&returning, &error, tell, data);
	}
	netlink_close(returning.netlink);
	return failed;
}

const struct verbatim *verbatim_others(struct netlink *netlink, struct arena *arena, int ifindex,
				       struct error *error)
{
	struct reading reading = {.arena = arena,
				  .ifindex = ifindex,
				  .others = true,
				  .to = arena_alloc(arena, sizeof(*reading.to))};
	return routes_read(netlink, &reading, error) == 0 ? reading.to : NULL;
}

void verbatim_others_return(struct netlink *netlink, int ifindex, const struct verbatim *was)
{
	__attribute__((cleanup(arena_cleanup))) struct arena *arena = arena_new();
	__attribute__((cleanup(batch_cleanup))) struct batch *batch = batch_new();
	struct returning returning = {
		.netlink = netlink, .arena = arena, .was = was, .gentle = true, .batch = batch};
	struct error ignored;
	const struct verbatim *now = verbatim_others(netlink, arena, ifindex, &ignored);
	if (!now)
		return;
	routes_return(&returning, now);
	(void)batch_send(netlink, batch, &ignored);
}
