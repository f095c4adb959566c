/* A link with its addresses, routes and sysctls: as read from the kernel (struct live_link), and as
 * it is to be created (struct link_spec). */
#ifndef KERNEL_LINK_H
#define KERNEL_LINK_H

#include "kernel/owner_tag.h"
#include "schema/model.h"

#include <sys/types.h>

struct arena;
struct live_ns; /* reconcile/state/state.h */

enum link_kind {
	KIND_OTHER,
	KIND_MACVLAN,
	KIND_IPVLAN,
	KIND_MACVTAP,
	KIND_VLAN,
	KIND_DUMMY,
	N_LINK_KINDS
} __attribute__((packed));

/* The namespace of a link's parent. */
enum parent_where {
	PARENT_NONE,
	PARENT_HOST,        /* in the host's namespace, whichever namespace contains the link */
	PARENT_OTHER_NETNS, /* in a namespace that is neither the link's own nor the host's, or
			       unknown */
	PARENT_SAME,        /* in the link's own namespace, which is not the host's */
} __attribute__((packed));

#define DISABLE_IPV6_KEY     "net.ipv6.conf.IFNAME.disable_ipv6"
#define ACCEPT_RA_KEY        "net.ipv6.conf.IFNAME.accept_ra"
#define ACCEPT_RA_DEFRTR_KEY "net.ipv6.conf.IFNAME.accept_ra_defrtr"
/* Of ACCEPT_RA_KEY: also where the namespace forwards packets, in which 1 has no effect. Set by
 * `accept_ra: true`, and by whoever sets the sysctl. */
#define ACCEPT_RA_ALWAYS "2"

struct live_sysctl {
	const char *key;   /* with the placeholder IFNAME */
	const char *value; /* without the newline */
};

/* VLANs that a bridge, or a port of one, is a member of. */
struct bridge_vlans {
	uint16_t first, last;
	bool pvid;     /* what comes without a tag is in it */
	bool untagged; /* it leaves without a tag */
};

struct live_link {
	struct owner_tag tag;
	const char *name;
	const char **altnames;
	const char *kind_name; /* IFLA_INFO_KIND, or "" */
	const char *alias;     /* "" if none */
	/* Of the device behind the link, such as "pci" and "0000:00:1f.6"; "" without one, or
	 * before 5.14. */
	const char *device_bus, *device;
	/* Of the bridge itself, or of the port; read where a bridge of the host filters. */
	struct bridge_vlans *bridge_vlans;
	struct live_sysctl
		*sysctls; /* the requested ones, or all (reconcile/observe/link_sysctls.h) */
	const struct snapshot *snapshot; /* NULL: not requested (reconcile/rollback/snapshot.h) */
	int ifindex;
	unsigned n_altnames, n_bridge_vlans, n_sysctls;
	uint32_t mtu;     /* bytes */
	uint32_t max_mtu; /* that the driver supports; 0: unknown */
	/* IFF_UP, IFF_LOWER_UP, ... IFF_PROMISC and IFF_ALLMULTI are those that were set on the
	 * link itself: dev_get_flags leaves out what packet sockets and bridges request. */
	unsigned flags;
	int master;         /* ifindex or 0 */
	uint32_t vrf_table; /* of a VRF device: the table of its routes; else 0 */
	int parent;         /* ifindex in the namespace of parent_where, or 0 */
	uint32_t bcqueuelen;
	int bclim; /* BCLIM_DEFAULT is not reported, and kernels before 6.4 have no other */
	uint32_t txqueuelen;      /* packets */
	uint16_t type;            /* of the hardware: ARPHRD_ETHER, ... */
	uint16_t vlan;            /* of a VLAN link */
	struct mac mac;           /* set false if the link has no MAC of 6 bytes */
	struct mac permanent_mac; /* of a network card, as it was made; set false: of no other link,
				     and before 5.6 */
	enum link_kind kind;
	enum parent_where parent_where;
	enum link_mode mode; /* of an attachment's link; undefined for others */
	bool mode_known;     /* false for a mode that the input does not support (macvlan source) */
	enum vlan_protocol vlan_protocol;
	enum ipvlan_flag ipvlan_flag;
	bool vlan_filtering; /* of a bridge: it passes only the VLANs that it is a member of */
	bool has_bcqueuelen; /* the kernel reported it (5.11 and later) */
};

struct live_addr {
	int ifindex;
	struct prefix prefix; /* address and prefix length */
	uint8_t proto;        /* IFA_PROTO, 0 if the kernel has no such field */
	uint8_t scope;        /* RT_SCOPE_* */
	uint32_t flags;       /* IFA_F_* */
	uint32_t metric;      /* of the subnet's route; 0: the kernel's default */
	uint32_t created;     /* hundredths of a second since boot: cstamp of IFA_CACHEINFO */
	/* Remaining valid and preferred lifetime in seconds, at the time of the observation; valid
	 * 0: no expiry. */
	uint32_t valid, preferred;
};

/* A route; of a multipath route one next hop. */
struct live_route {
	int ifindex;    /* 0: of a type that leads nowhere */
	uint32_t table; /* 0: main; else one of policy routing, or of a VRF of the host */
	struct route_options options;
	struct prefix to; /* a default route has len 0 and the family */
	struct ip via;    /* family 0: none */
	uint8_t proto;
};

/* A rule of policy routing: it leads to a table. */
struct policy_rule {
	uint32_t priority;  /* the lowest is looked up first */
	struct prefix from; /* source addresses; len 0: all of ip.family */
	struct prefix to;   /* destinations; len 0: all */
	uint32_t table;     /* 0: main */
	bool no_default;    /* it does not lead to default routes (suppress_prefixlength 0) */
};

struct live_rule {
	struct policy_rule rule;
	uint8_t proto; /* FRA_PROTOCOL; 0: none, or a kernel before 4.17 */
	bool other;    /* it has conditions or an action that a policy_rule lacks */
};

struct link_route {
	uint32_t table; /* 0: main */
	int device;     /* ifindex of the other program's link that it leads through; 0: the
			   link's own */
	struct route_options options;
	struct prefix to; /* len 0: the default route of ip.family */
	struct ip via;    /* family 0: none */
	bool replaces;    /* replaces the route of another link (--adopt), or of another type */
	uint8_t protocol; /* 0: mvapply's own protocol number */
};

/* The rules and routes of a namespace that the attachment of a link needs: what leads to its routes
 * in other tables, and routes that lead nowhere. */
struct policy {
	struct link_route *routes; /* by links of other programs, or by none (options.type) */
	struct policy_rule *rules;
	unsigned n_routes, n_rules;
};

/* The attributes with which an address is added. */
struct addr_terms {
	uint8_t protocol;          /* IFA_PROTO */
	uint32_t valid, preferred; /* seconds; valid 0: no expiry */
	uint32_t metric;           /* IFA_RT_PRIORITY; 0: the kernel's default */
};

/* The use of DHCP by a link. */
struct link_dhcp {
	bool enabled;        /* its IPv4 address is a lease */
	bool internal;       /* no route of its lease is used outside of own_table */
	bool gateway;        /* the router of its lease gets the default route, */
	bool replaces;       /* in place of another program's (--adopt) */
	uint32_t table;      /* of that route; 0: main */
	uint32_t own_table;  /* of all routes of its lease (reconcile/state/lease_routes.h) */
	bool rule;           /* packets from the leased address are routed by own_table */
	struct prefix lease; /* the leased address; family 0: none */
	bool unwritten;      /* the file with its name servers is missing: likewise */
	bool incomplete;     /* not all of its routes are known: it has to be requested again */
};

struct link_sysctl {
	const char *key; /* with the placeholder IFNAME */
	const char *value;
	bool required; /* the file sets it; otherwise the sysctl may be missing */
};

/* The desired configuration of one link. */
struct link_spec {
	struct owner_tag tag;
	const char *alias;
	struct live_ns *ns; /* the link's namespace */
	const char *name;
	const char *parent_name; /* in the host's namespace; NULL for a dummy */
	const char *vrf_name;    /* of the VRF device that it is enslaved to, or NULL */
	const char **altnames;
	struct prefix *addrs;
	const struct addr_terms
		*addr_terms;       /* one for each address; NULL: mvapply's protocol, no expiry */
	struct link_route *routes; /* in an order in which they can be added */
	struct link_sysctl *sysctls;
	struct policy policy; /* of its namespace */
	unsigned n_altnames, n_addrs, n_routes, n_sysctls;
	int ifindex;          /* its ifindex at creation, if that is free; 0: any */
	int parent;           /* ifindex; 0: an earlier step creates it, look it up by name */
	uint32_t mtu;         /* bytes; 0: chosen by the kernel */
	uint32_t bcqueuelen;  /* sent on create only if has_bcqueuelen */
	int bclim;            /* sent on create only if has_bclim */
	uint32_t txqueuelen;  /* sent on create only if has_txqueuelen */
	int vrf;              /* ifindex of the VRF device; 0: none */
	uint32_t vrf_table;   /* of its routes there; 0: main */
	unsigned subnet_rank; /* the number of links before it with the same subnet in the namespace
			       */
	struct link_dhcp dhcp;
	uint16_t vlan;  /* VLAN link */
	struct mac mac; /* set false: chosen by the kernel */
	enum link_kind kind;
	enum link_mode mode; /* for links of attachments */
	enum ipvlan_flag ipvlan_flag;
	enum vlan_protocol vlan_protocol;
	bool has_bcqueuelen, has_bclim, has_txqueuelen;
	bool resets_bclim; /* a live one is changed to `bclim` also without has_bclim */
	bool promisc, allmulticast;
	bool has_altnames;  /* `altnames` are all of them; otherwise all stay */
	bool parent_away;   /* the parent remains in a namespace other than the host's */
	bool shares_parent; /* other links may be attached to its parent already */
	bool down;          /* the link stays down */
	bool probe;         /* new addresses are probed before they are assigned */
	bool ipv6_metric;   /* its IPv6 addresses have a metric, which cannot be removed
			     * (inet6_addr_modify) */
	bool accept_ra;     /* the kernel takes IPv6 addresses from router advertisements */
};

#endif
