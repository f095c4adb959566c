/* Encodes values as rtnetlink messages. Pure. Each function writes a whole request; the sender adds
 * the sequence number and NLM_F_REQUEST. False: the request does not fit, or the value is invalid.
 */
#ifndef KERNEL_RTNL_ENCODE_H
#define KERNEL_RTNL_ENCODE_H

#include "kernel/link_kind.h"

#include <libmnl/libmnl.h>

union message {
	struct nlmsghdr header;
	char bytes[2048];
};

/* Where a new link goes, as seen from the namespace of the socket. */
struct link_creation {
	int ifindex;      /* chosen by the caller */
	const char *name; /* may differ from the spec's */
	int parent;       /* ifindex of the parent, 0: none */
	bool other_netns; /* the parent is in the namespace with this number */
	int nsid;
};

/* Dumps: links without statistics, addresses, routes of the main table (of all tables, where the
 * kernel does not know NETLINK_GET_STRICT_CHK). */
bool encode_link_dump(union message *message);
bool encode_addr_dump(union message *message);
bool encode_route_dump(union message *message);
/* Only routes of mvapply's protocol, if the kernel can filter by it (4.20); else all. */
bool encode_own_route_dump(union message *message);

/* Those of one link alone, and routes of all tables, as far as the kernel filters (4.20). */
bool encode_link_addrs_dump(union message *message, int ifindex);
bool encode_link_routes_dump(union message *message, int ifindex);

bool encode_link_get(union message *message, int ifindex);
bool encode_link_find(union message *message, const char *name);
bool encode_link_create(union message *message, const struct link_spec *spec,
			const struct link_creation *creation);
/* A link of the kind that the kernel refuses to make, if it knows the kind: without a parent, and
 * with an address of 1 byte, which no kind takes (macvlan_validate, dummy_validate). */
bool encode_kind_probe(union message *message, enum link_kind kind);
bool encode_link_delete(union message *message, int ifindex);
bool encode_link_up(union message *message, int ifindex, bool up);
/* "" takes the alias away. */
bool encode_link_alias(union message *message, int ifindex, const char *alias);
/* What one message changes of a link that is there. The kernel takes it in this order, and stops at
 * the first that it refuses (rtnl_newlink, do_setlink). */
struct link_change {
	const struct link_spec *spec; /* of IFLA_INFO_DATA: whose values these are */
	bool mode, bcqueuelen;        /* which of them */
	const struct mac *mac;        /* NULL: stays; so with the others */
	uint32_t mtu;                 /* 0: stays */
	const char *name, *alias;
	bool up, down;
};
bool encode_link_change(union message *message, int ifindex, const struct link_change *change);
/* Into the namespace of the descriptor, under that name. */
bool encode_link_move(union message *message, int ifindex, int fd, const char *name);
/* `flags`: NLM_F_EXCL or NLM_F_REPLACE, besides NLM_F_CREATE. */
bool encode_addr_add(union message *message, int ifindex, const struct prefix *addr,
		     struct addr_terms terms, uint16_t flags);
bool encode_addr_delete(union message *message, int ifindex, const struct prefix *addr);
bool encode_route_add(union message *message, int ifindex, const struct link_route *route,
		      uint16_t flags);
/* Protocol and metric 0 match any. */
bool encode_route_delete(union message *message, int ifindex, const struct link_route *route,
			 uint8_t protocol, uint32_t metric);

/* The kernel's IPv4 neighbour: resolve it now, by a broadcast ARP request from the link's own
 * address (NTF_USE in neigh_add); delete it. */
bool encode_neighbor_use(union message *message, int ifindex, const struct ip *ip);
bool encode_neighbor_delete(union message *message, int ifindex, const struct ip *ip);

/* Which number does the namespace of the descriptor have (RTM_GETNSID), and give it one. */
bool encode_nsid_get(union message *message, int fd);
/* Whether any namespace has the number. */
bool encode_nsid_check(union message *message, int nsid);
bool encode_nsid_assign(union message *message, int fd);

#endif
