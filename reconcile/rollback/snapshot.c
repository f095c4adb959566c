#include "reconcile/rollback/snapshot.h"

#include "reconcile/rollback/snapshot_internal.h"

#include "kernel/rtnl_encode.h"

#include <errno.h>
#include <linux/if_addr.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <string.h>

/* The flags that a request may set (inet6_rtm_newaddr); the kernel sets others itself. */
#define ADDR_FLAGS                                                                                 \
	(IFA_F_NODAD | IFA_F_HOMEADDRESS | IFA_F_MANAGETEMPADDR | IFA_F_NOPREFIXROUTE |            \
	 IFA_F_MCAUTOJOIN | IFA_F_OPTIMISTIC)
#define ROUTE_FLAGS (RTNH_F_ONLINK | RTNH_F_PERVASIVE)

struct reader {
	struct arena *arena;
	int ifindex;
	bool others; /* unmanaged objects only */
	struct snapshot *to;
};

/* The request begins with the listing's own header, of that size. */
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

struct raw_message raw_message_keep(struct arena *arena, const union message *request, size_t same)
{
	const size_t size = request->header.nlmsg_len;
	return (struct raw_message){memcpy(arena_alloc(arena, size), request, size), same};
}

/* The attribute after `attr`, or the first; NULL: there is none. */
static const struct nlattr *attr_next(const struct nlmsghdr *message, size_t header,
				      const struct nlattr *attr)
{
	const char *end = (const char *)message + message->nlmsg_len;
	const char *first = (const char *)mnl_nlmsg_get_payload(message) + MNL_ALIGN(header);
	attr = attr ? mnl_attr_next(attr) : (const void *)first;
	return mnl_attr_ok(attr, (int)(end - (const char *)attr)) ? attr : NULL;
}

bool raw_message_without(struct arena *arena, const struct raw_message *raw, size_t header,
			 uint16_t type, struct raw_message *ret)
{
	union message request;
	bool fits = true;
	(void)request_begin(&request, raw->request, header);
	for (const struct nlattr *attr = attr_next(raw->request, header, NULL); attr;
	     attr = attr_next(raw->request, header, attr))
		fits &= mnl_attr_get_type(attr) == type || attr_put(&request, attr);
	*ret = raw_message_keep(arena, &request, request.header.nlmsg_len);
	return fits;
}

const struct nlattr *attr_find(const struct nlmsghdr *message, size_t header, uint16_t type)
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

bool attr_equal(const struct nlmsghdr *a, const struct nlmsghdr *b, size_t header, uint16_t type)
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

static bool addr_request(struct arena *arena, const struct nlmsghdr *message,
			 struct raw_message *ret)
{
	union message request;
	struct ifaddrmsg *header = request_begin(&request, message, sizeof(*header));
	const struct nlattr *attr = NULL, *lifetimes = NULL;
	const uint32_t flags = attr_u32(message, sizeof(*header), IFA_FLAGS, header->ifa_flags);
	const uint32_t settable = flags & ADDR_FLAGS;
	bool fits = true;
	header->ifa_flags = 0;
	while ((attr = attr_next(message, sizeof(*header), attr))) {
		const uint16_t type = mnl_attr_get_type(attr);
		if (type == IFA_CACHEINFO)
			lifetimes = lasts(attr) ? NULL : attr;
		else if (type != IFA_FLAGS)
			fits &= attr_put(&request, attr);
	}
	fits &= mnl_attr_put_check(&request.header, sizeof(request), IFA_FLAGS, sizeof(settable),
				   &settable);
	const size_t same = request.header.nlmsg_len;
	if (lifetimes)
		fits &= attr_put(&request, lifetimes);
	*ret = raw_message_keep(arena, &request, same);
	/* The kernel creates and deletes addresses with a random identifier. */
	return fits && !(header->ifa_family == AF_INET6 && flags & IFA_F_TEMPORARY);
}

static int addr_take(const struct nlmsghdr *message, void *data, struct error *error)
{
	struct reader *reader = data;
	const struct ifaddrmsg *header = mnl_nlmsg_get_payload(message);
	struct raw_message raw;
	(void)error;
	if (message->nlmsg_type == RTM_NEWADDR &&
	    mnl_nlmsg_get_payload_len(message) >= sizeof(*header) &&
	    header->ifa_index == (uint32_t)reader->ifindex &&
	    addr_request(reader->arena, message, &raw))
		*array_push(reader->arena, reader->to->addrs, reader->to->n_addrs) = raw;
	return 0;
}

/* Whether the next hop is the link; clears the state flags that the kernel reports. */
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

/* What a route has of its next hop object (fib_dump_info), which its request must not repeat. */
static bool is_of_next_hop(uint16_t type)
{
	return type == RTA_OIF || type == RTA_GATEWAY || type == RTA_VIA || type == RTA_MULTIPATH ||
	       type == RTA_ENCAP || type == RTA_ENCAP_TYPE;
}

bool route_request(struct arena *arena, const struct nlmsghdr *message, int ifindex,
		   struct raw_message *ret)
{
	union message request;
	struct rtmsg *header = request_begin(&request, message, sizeof(*header));
	const bool by_id = !ifindex && attr_find(message, sizeof(*header), RTA_NH_ID);
	const struct nlattr *attr = NULL;
	bool fits = true, there = !ifindex;
	header->rtm_flags &= ROUTE_FLAGS;
	while ((attr = attr_next(message, sizeof(*header), attr))) {
		const uint16_t type = mnl_attr_get_type(attr);
		struct nlattr *copy =
			(void *)((char *)&request + MNL_ALIGN(request.header.nlmsg_len));
		if (type == RTA_CACHEINFO || (by_id ? is_of_next_hop(type) : type == RTA_NH_ID))
			continue;
		fits = fits && attr_put(&request, attr);
		if (type == RTA_MULTIPATH && fits)
			there |= hops_clean(copy, ifindex);
		else if (type == RTA_OIF)
			there |=
				attr_u32(message, sizeof(*header), RTA_OIF, 0) == (uint32_t)ifindex;
	}
	*ret = raw_message_keep(arena, &request, request.header.nlmsg_len);
	return fits && there;
}

const struct rtmsg *route_listed(const struct nlmsghdr *message)
{
	const struct rtmsg *header = mnl_nlmsg_get_payload(message);
	return message->nlmsg_type == RTM_NEWROUTE &&
			       mnl_nlmsg_get_payload_len(message) >= sizeof(*header) &&
			       !(header->rtm_flags & RTM_F_CLONED)
		       ? header
		       : NULL;
}

static int route_take(const struct nlmsghdr *message, void *data, struct error *error)
{
	struct reader *reader = data;
	const struct rtmsg *header = route_listed(message);
	struct raw_message raw;
	(void)error;
	if (header && header->rtm_protocol != RTPROT_KERNEL && header->rtm_protocol != RTPROT_RA &&
	    !(reader->others && header->rtm_protocol == OWNER_TAG_PROTOCOL) &&
	    route_request(reader->arena, message, reader->ifindex, &raw))
		*array_push(reader->arena, reader->to->routes, reader->to->n_routes) = raw;
	return 0;
}

int snapshot_addrs_read(struct netlink *netlink, struct arena *arena, int ifindex,
			struct snapshot *ret, struct error *error)
{
	struct reader reader = {.arena = arena, .ifindex = ifindex, .to = ret};
	union message request;
	encode_link_addrs_dump(&request, ifindex);
	return netlink_dump(netlink, &request.header, addr_take, &reader, error);
}

static int routes_read(struct netlink *netlink, struct reader *reader, struct error *error)
{
	union message request;
	encode_link_routes_dump(&request, reader->ifindex);
	return netlink_dump(netlink, &request.header, route_take, reader, error);
}

int snapshot_routes_read(struct netlink *netlink, struct arena *arena, int ifindex,
			 struct snapshot *ret, struct error *error)
{
	struct reader reader = {.arena = arena, .ifindex = ifindex, .to = ret};
	return routes_read(netlink, &reader, error);
}

int snapshot_take(struct live_ns *ns, struct live_link *link, struct error *error)
{
	struct snapshot *snapshot = arena_alloc(ns->arena, sizeof(*snapshot));
	struct netlink *netlink = netlink_open(error);
	int status = netlink ? 0 : -error->errnum;
	if (status == 0)
		status = snapshot_addrs_read(netlink, ns->arena, link->ifindex, snapshot, error);
	if (status == 0)
		status = snapshot_routes_read(netlink, ns->arena, link->ifindex, snapshot, error);
	netlink_close(netlink);
	link->snapshot = status == 0 ? snapshot : NULL;
	return status;
}

const struct snapshot *snapshot_routes_take(struct netlink *netlink, struct arena *arena,
					    int ifindex, struct error *error)
{
	struct reader reader = {.arena = arena,
				.ifindex = ifindex,
				.others = true,
				.to = arena_alloc(arena, sizeof(*reader.to))};
	return routes_read(netlink, &reader, error) == 0 ? reader.to : NULL;
}

static bool neighbor_request(struct arena *arena, const struct nlmsghdr *message,
			     struct raw_message *ret)
{
	union message request;
	const struct nlattr *attr = NULL;
	bool fits = true;
	(void)request_begin(&request, message, sizeof(struct ndmsg));
	while ((attr = attr_next(message, sizeof(struct ndmsg), attr))) {
		const uint16_t type = mnl_attr_get_type(attr);
		if (type != NDA_CACHEINFO && type != NDA_PROBES)
			fits = fits && attr_put(&request, attr);
	}
	*ret = raw_message_keep(arena, &request, request.header.nlmsg_len);
	return fits;
}

/* The kernel finds other neighbours again. */
static int neighbor_take(const struct nlmsghdr *message, void *data, struct error *error)
{
	struct reader *reader = data;
	const struct ndmsg *header = mnl_nlmsg_get_payload(message);
	struct raw_message raw;
	(void)error;
	if (message->nlmsg_type == RTM_NEWNEIGH &&
	    mnl_nlmsg_get_payload_len(message) >= sizeof(*header) &&
	    header->ndm_ifindex == reader->ifindex &&
	    (header->ndm_state & NUD_PERMANENT || header->ndm_flags & NTF_PROXY) &&
	    neighbor_request(reader->arena, message, &raw))
		*array_push(reader->arena, reader->to->neighbors, reader->to->n_neighbors) = raw;
	return 0;
}

static int neighbors_read(struct netlink *netlink, struct reader *reader, struct error *error)
{
	union message request;
	encode_neighbor_dump(&request);
	const int status = netlink_dump(netlink, &request.header, neighbor_take, reader, error);
	encode_proxy_dump(&request);
	return status < 0 ? status
			  : netlink_dump(netlink, &request.header, neighbor_take, reader, error);
}

const struct snapshot *snapshot_down_take(struct netlink *netlink, struct arena *arena, int ifindex,
					  struct error *error)
{
	struct reader reader = {
		.arena = arena, .ifindex = ifindex, .to = arena_alloc(arena, sizeof(*reader.to))};
	const bool taken = snapshot_addrs_read(netlink, arena, ifindex, reader.to, error) == 0 &&
			   routes_read(netlink, &reader, error) == 0 &&
			   neighbors_read(netlink, &reader, error) == 0;
	return taken ? reader.to : NULL;
}
