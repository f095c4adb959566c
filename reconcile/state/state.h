/* The observed state of the kernel, as a value. Each namespace has an arena of its own, so it can
 * be read again without the others. */
#ifndef RECONCILE_STATE_STATE_H
#define RECONCILE_STATE_STATE_H

#include "container_engine/docker_reservations.h"
#include "kernel/link.h"
#include "lib/error_codes.h"
#include "schema/model.h"

#include <sys/types.h>

struct live_index; /* state_index.c's */
struct ns_handle;  /* descriptors; NULL in tests of the pure parts */

/* Suffix of the name of a namespace that was a container's. */
#define LIVE_FORMER_SUFFIX " (former)"

struct live_ns {
	struct arena *arena;
	dev_t device; /* identity: fstat(2) of the namespace's file */
	ino_t inode;
	uint64_t cookie; /* SO_NETNS_COOKIE, given once in a boot; 0: the kernel has none (5.14), or
			    nobody asked (observe_cookies) */
	uint64_t converged_content; /* live_ns_content when nothing was left to do
				       (cmd/watch/converged.c) */
	uint64_t attached;  /* its attachments and their MACs then; 0: another namespace had one of
			       its addresses or MACs, or the plan had steps for it (part_remember) */
	const char *name;   /* for people: "web", "pid 4711", "the host" */
	const char *source; /* as the file's `netns` can name it: a name in /run/netns, or a path;
			       NULL: found otherwise */
	char *place; /* the path where it was found after it ceased to be a container's, or NULL */
	struct ns_handle *handle;         /* NULL: released */
	struct container_lookup *lookups; /* the first container in it (live_containers_link), or
					     NULL */
	struct live_link *links;
	const struct live_index *index; /* NULL: searches are linear */
	struct live_addr *addrs;
	struct live_route *routes;
	struct live_rule *rules;
	struct snapshot *other_routes;     /* what a plan may remove of other links
					      (rollback/snapshot.h); NULL: not read */
	struct live_link *default_sysctls; /* the default sysctls of a new link in it; NULL: not
					      requested (link_sysctls_observe) */
	const char
		*crowded; /* a part that was read incompletely: "addresses", "routes"; NULL: none */
	unsigned n_links, n_addrs, n_routes, n_rules;
	int nsid; /* its nsid in the host's namespace, which events contain; -1: none */
	bool host;
	bool by_process; /* found by a process alone, by its namespace or a descriptor: no name
			    leads there */
	bool user_made;  /* found by a process alone, and owned by another user namespace than ours:
			    whoever may make namespaces can have made it */
	bool former;     /* a container of the files led to it before, and none does now */
	bool engine_links; /* the container's engine is going to add links of its own */
	bool details;      /* addresses, routes and sysctls were read too */
	bool rules_read;   /* the rules of policy routing were read: an attachment may need them, or
			      have them */
	bool own_routes;   /* only routes of mvapply's protocol were read */
	bool ipv6_disabled; /* on new links in it; read where an attachment may have IPv6 */
	bool reread;        /* it was read since converged_content was computed */
	bool without_step;  /* the plan of converged_content had no step for it */
	bool stale;         /* it could not be read, or may have changed since */
	bool rate_limited;  /* it may have changed, and was not read again yet */
	bool tagged; /* rate limited: it may have a new managed link, or one of its links a new
			address */
	bool rate_limit_reported; /* reported to the user */
	bool dead;                /* confirmed by the kernel */
};

enum container_state {
	CONTAINER_READY,
	CONTAINER_PENDING, /* not there yet: not an error */
	CONTAINER_REFUSED, /* must not be used: the host's namespace, or not a network namespace */
	CONTAINER_FAILED,  /* could not be read */
} __attribute__((packed));

/* The namespace of a container of the desired state. */
struct container_lookup {
	const struct container *container;
	struct live_ns *ns;            /* when ready */
	struct container_lookup *next; /* the next container in the same namespace, or NULL */
	const char *id;                /* the engine's id of the container; otherwise NULL */
	const char *note;              /* when ready: a warning sentence, or NULL */
	enum container_state state;
	bool engine_pending; /* pending: its engine has never answered */
	bool absent;         /* pending: it does not run, or its engine has no such container */
	bool stale;          /* it may have changed since */
	enum code code;      /* when not ready: the error; CODE_NONE: not there yet */
	const char *reason;  /* when not ready */
	const char *hint;    /* or NULL */
};

/* A part of the state that could not be read. */
struct unreadable {
	enum {
		UNREADABLE_NAMESPACE,
		UNREADABLE_MOUNTS,      /* mounted namespaces */
		UNREADABLE_HIDDEN,      /* namespaces of processes that /proc does not show */
		UNREADABLE_PROCESSES,   /* namespaces of unreadable processes */
		UNREADABLE_DESCRIPTORS, /* namespaces for which no descriptor was available */
	} kind;
	ino_t inode;      /* inode of the one namespace, otherwise 0 */
	int errnum;       /* positive errno, or 0 */
	const char *text; /* a sentence */
};

struct live {
	struct arena *arena;         /* for everything except the contents of namespaces */
	struct live_ns **namespaces; /* spaces[0] is the host's */
	size_t n_namespaces;
	struct container_lookup *
		container_lookups; /* one for each container, in the order of sets and containers */
	size_t n_containers;
	struct unreadable *unreadable;
	size_t n_unreadable;
	const char **unwritten; /* the paths of `resolv_conf` without the attachment's file */
	size_t n_unwritten;
	const struct docker_reservation *reserved; /* addresses that no link may have yet */
	size_t n_reserved;
	bool resolv_conf;        /* an attachment has the key `resolv_conf` */
	bool addr_proto;         /* the kernel reports IFA_PROTO (5.18 and later) */
	unsigned lacks;          /* what the kernel lacks of what the networks ask for: a mask of
				    FEATURE_BIT (kernel/kernel_features.h) */
	unsigned features_known; /* those of them that were probed */
};

/* Whether the container is unknown because it could not be read. A container that must have
 * nothing, and that an engine may not use, is not unknown. */
bool live_container_unknown(const struct container_lookup *lookup);
/* Sets the list of the containers in each namespace, in the order of the files. Call it again after
 * any change of the containers. */
void live_containers_link(struct live *live);
/* Whether the whole host was read: each network namespace and each container's source. A pending
 * container is complete, even if its engine does not answer. */
bool live_complete(const struct live *live);
/* The sentences about unreadable parts, in the arena. */
const char **live_unreadable_texts(const struct live *live, struct arena *arena);

/* Builds the indexes of links, and of the addresses and routes of a link. Moves addresses and
 * routes; call it again after any change. */
void live_ns_index(struct live_ns *ns);
const struct live_link *live_link_by_index(const struct live_ns *ns, int ifindex);
/* Whether it is a default route by which packets leave, of the main table or of POLICY_TABLE. Those
 * of other tables are reached by rules of their own. */
bool live_route_is_default(const struct live_route *route);
/* Whether it is in the own table of an attachment with a lease, or with `policy_routing`. */
bool live_route_is_source(const struct live_route *route);
/* Whether it is the managed default route of the family in POLICY_TABLE. */
bool live_policy_default(const struct live_route *route, uint8_t family);
/* The link that policy routing of the family leads to: it has the managed default route in
 * POLICY_TABLE; where none has it, the first attachment in the namespace. NULL: there is none. */
const struct live_link *live_policy_link(const struct live_ns *ns, uint8_t family);
/* By name or altname. */
const struct live_link *live_link_by_name(const struct live_ns *ns, const char *name);
bool live_link_is_called(const struct live_link *link, const char *name);
/* Whether the address of an attachment is a lease: the only managed one of IPv4 with a limited
 * lifetime. `has_protocol`: the kernel has reported IFA_PROTO (live.addr_proto); without it each
 * address counts as managed. */
bool live_addr_leased(const struct live_addr *addr, bool has_protocol);
/* The leased address of a container's link, or NULL. It is no longer preferred after half of its
 * lifetime. */
const struct live_addr *live_lease(const struct live *live, const struct live_ns *ns,
				   const struct live_link *link);
/* Whether the kernel made the address from a router advertisement: mvapply gives no address of IPv6
 * a limited lifetime. One that never expires has a flag (addrconf_prefix_rcv). */
bool live_addr_autoconf(const struct live_addr *addr);
/* Whether the link has an address or a route of a router advertisement. */
bool live_link_advertised(const struct live_ns *ns, const struct live_link *link);
/* Whether the link is as `accept_ra: true` makes it, and not by its sysctls alone. */
bool live_link_accepts_ra(const struct live_ns *ns, const struct live_link *link);
/* The link's addresses and routes, in the order of the kernel's listing: the first one (`after`
 * NULL), then the next; NULL after the last. */
const struct live_addr *live_addr_next(const struct live_ns *ns, int ifindex,
				       const struct live_addr *after);
const struct live_route *live_route_next(const struct live_ns *ns, int ifindex,
					 const struct live_route *after);
#define each_addr_of(addr, ns, ifindex)                                                            \
	for (const struct live_addr *addr = live_addr_next(ns, ifindex, NULL); addr;               \
	     addr = live_addr_next(ns, ifindex, addr))
#define each_route_of(route, ns, ifindex)                                                          \
	for (const struct live_route *route = live_route_next(ns, ifindex, NULL); route;           \
	     route = live_route_next(ns, ifindex, route))
/* Whether its parent is the host's link with that ifindex. In another namespace, a link may have
 * the same ifindex. */
bool live_link_on(const struct live_link *link, int parent);
/* The peers of a pair name each other as their parents. */
bool live_link_is_pair(const struct live_link *link);
/* The link's parent among the host's links; NULL: it has none, or it is in another namespace. */
const struct live_link *live_link_parent(const struct live_ns *host, const struct live_link *link);
/* The same for a VLAN link; NULL for others. */
const struct live_link *live_vlan_base(const struct live_ns *host, const struct live_link *link);
/* The VRF device that the link is enslaved to, or NULL; and the table of its routes (0: main). */
const struct live_link *live_link_vrf(const struct live_ns *ns, const struct live_link *link);
uint32_t live_vrf_table(const struct live_link *vrf);
/* Whether its kind has a parent, and the parent is not in the host's namespace: the parent was
 * moved away, or belongs to another host's namespace. For other kinds IFLA_LINK may be a peer. */
bool live_parent_away(const struct live_link *link);
/* Whether both links are equal in the kernel's listing: without sysctls, the namespace of the
 * parent, and the links on them. */
bool live_link_equal(const struct live_link *a, const struct live_link *b);
const char *live_sysctl(const struct live_link *link, const char *key);

#endif
