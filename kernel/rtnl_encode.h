/* Encodes values as rtnetlink messages. Pure. Each function writes a complete request; the sender
 * adds the sequence number and NLM_F_REQUEST. False: the request does not fit, or the value is
 * invalid. */
#ifndef KERNEL_RTNL_ENCODE_H
#define KERNEL_RTNL_ENCODE_H

#include "kernel/link_kind.h"
#include "kernel/rtnl_message.h"

/* The position of a new link, relative to the namespace of the socket. */
struct link_creation {
	int ifindex;      /* chosen by the caller */
	const char *name; /* may differ from the spec's */
	int parent;       /* ifindex of the parent, 0: none */
	bool other_netns; /* nsid of the parent's namespace */
	int nsid;
};

/* Dump requests: links without statistics, addresses, routes of the main table (of all tables, if
 * the kernel does not support NETLINK_GET_STRICT_CHK), or of all tables. */
bool encode_link_dump(union message *message);
/* The VLANs of bridges and their ports (decode_bridge_vlans). */
bool encode_bridge_vlan_dump(union message *message);
bool encode_addr_dump(union message *message);
/* Those of IPv4 alone. */
bool encode_ipv4_addr_dump(union message *message);
bool encode_route_dump(union message *message);
bool encode_all_route_dump(union message *message);
/* The rules of policy routing of all families. */
bool encode_rule_dump(union message *message);
/* Only routes of mvapply's protocol, if the kernel can filter by it (4.20); otherwise all. */
bool encode_own_route_dump(union message *message);
/* The same of another table. */
bool encode_table_route_dump(union message *message, uint32_t table);

/* The addresses or routes of one link, routes of all tables, as far as the kernel filters
 * (4.20). */
bool encode_link_addrs_dump(union message *message, int ifindex);
bool encode_link_routes_dump(union message *message, int ifindex);

bool encode_link_get(union message *message, int ifindex);
bool encode_link_find(union message *message, const char *name);
bool encode_link_create(union message *message, const struct link_spec *spec,
			const struct link_creation *creation);
bool encode_link_delete(union message *message, int ifindex);
/* "" removes the alias. */
bool encode_link_alias(union message *message, int ifindex, const char *alias);
/* The changes of one message to an existing link. The kernel applies them in this order, and stops
 * at the first that it refuses (rtnl_newlink, do_setlink). */
struct link_change {
	const struct link_spec *spec; /* the values for IFLA_INFO_DATA */
	unsigned values;              /* a mask of 1 << enum link_value: those that change */
	const struct mac *mac;        /* NULL: unchanged; the same for the others */
	uint32_t mtu;                 /* 0: unchanged */
	const char *name, *alias;
	unsigned flags, flags_mask; /* IFF_UP, ...: their values, and which of them change */
	bool txqueuelen;            /* to that of the spec */
};
bool encode_link_change(union message *message, int ifindex, const struct link_change *change);
/* Adds or deletes an alternative name (from 5.5 on). */
bool encode_altname_add(union message *message, int ifindex, const char *name);
bool encode_altname_delete(union message *message, int ifindex, const char *name);
/* Moves the link into the namespace of the descriptor, under that name. */
bool encode_link_move(union message *message, int ifindex, int fd, const char *name);
/* `flags`: NLM_F_EXCL or NLM_F_REPLACE, in addition to NLM_F_CREATE. */
bool encode_addr_add(union message *message, int ifindex, const struct prefix *addr,
		     struct addr_terms terms, uint16_t flags);
bool encode_addr_delete(union message *message, int ifindex, const struct prefix *addr);
/* rtnl_route.c */
bool encode_route_add(union message *message, int ifindex, const struct link_route *route,
		      uint16_t flags);
/* Protocol and metric 0 match any. `ifindex` is that of a route without a device. */
bool encode_route_delete(union message *message, int ifindex, const struct link_route *route,
			 uint8_t protocol, uint32_t metric);

/* A rule of mvapply's protocol. The kernel refuses an equal one of that protocol (EEXIST). */
bool encode_rule_add(union message *message, const struct policy_rule *rule);
bool encode_rule_delete(union message *message, const struct policy_rule *rule);

/* A neighbour entry of IPv4: resolve it now, by a broadcast ARP request from the link's own address
 * (NTF_USE in neigh_add); delete it. */
bool encode_neighbor_use(union message *message, int ifindex, const struct ip *ip);
bool encode_neighbor_delete(union message *message, int ifindex, const struct ip *ip);
/* The neighbour entries of all links, of IPv4 and IPv6 (decode_neighbor). */
bool encode_neighbor_dump(union message *message);
/* The addresses for which the links answer as proxies. */
bool encode_proxy_dump(union message *message);

/* The hardware addresses that a link receives: those of the macvlans that are up on it, in
 * whichever namespace they are, are among them (macvlan_open, ndo_dflt_fdb_dump). As far as the
 * kernel filters (5.0), of this link alone. */
bool encode_fdb_dump(union message *message, int ifindex);

/* Gets the nsid of the descriptor's namespace (RTM_GETNSID), and assigns one. */
bool encode_nsid_get(union message *message, int fd);
/* Whether any namespace has the nsid. */
bool encode_nsid_check(union message *message, int nsid);
bool encode_nsid_assign(union message *message, int fd);

#endif
