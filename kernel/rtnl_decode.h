/* Decodes rtnetlink messages to values. Pure: every length is checked, unknown attributes are
 * skipped, malformed messages are refused. */
#ifndef KERNEL_RTNL_DECODE_H
#define KERNEL_RTNL_DECODE_H

#include "kernel/link.h"

#include <libmnl/libmnl.h>

enum decoded {
	DECODED,
	DECODE_SKIP, /* well-formed, but not part of a live_ns: a route of another table */
	DECODE_BAD,
};

/* The parent of a link, as its message names it. */
struct parent_ref {
	bool other_netns; /* IFLA_LINK_NETNSID is present */
	int nsid;         /* the nsid of the other namespace in the link's own */
};

/* RTM_NEWLINK. Strings go to the arena; the caller sets ret->parent_where. */
enum decoded decode_link(struct arena *arena, const struct nlmsghdr *message, struct live_link *ret,
			 struct parent_ref *ret_parent);
/* Sets ifindex and bridge_vlans alone: of a bridge itself or of one port. */
enum decoded decode_bridge_vlans(struct arena *arena, const struct nlmsghdr *message,
				 struct live_link *ret);
/* RTM_NEWADDR; *has_proto is set if the address has IFA_PROTO, and otherwise unchanged. */
enum decoded decode_addr(const struct nlmsghdr *message, struct live_addr *ret, bool *has_proto);
/* rtnl_route.c */
/* RTM_NEWROUTE: its next hop of that number, from 0 on. DECODE_SKIP: there are fewer. */
enum decoded decode_route(const struct nlmsghdr *message, size_t hop, struct live_route *ret);
/* RTM_NEWRULE; DECODE_SKIP: neither IPv4 nor IPv6. */
enum decoded decode_rule(const struct nlmsghdr *message, struct live_rule *ret);

/* RTM_NEWNEIGH of an encode_fdb_dump. */
enum decoded decode_fdb(const struct nlmsghdr *message, int *ret_ifindex, struct mac *ret_mac);
/* A neighbour entry of an encode_neighbor_dump. */
struct live_neighbor {
	int ifindex;
	struct ip ip;
	struct mac mac;
};
/* DECODE_SKIP: without a MAC, or permanent, which no announcement changes. */
enum decoded decode_neighbor(const struct nlmsghdr *message, struct live_neighbor *ret);
/* RTM_NEWNSID; -1: no nsid is assigned. */
enum decoded decode_nsid(const struct nlmsghdr *message, int *ret);

#endif
