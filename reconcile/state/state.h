/* The observed state of the kernel, as a value. Each namespace has an arena of its own, so it can
 * be read again without the others. */
#ifndef RECONCILE_STATE_STATE_H
#define RECONCILE_STATE_STATE_H

#include "kernel/link.h"
#include "lib/error_codes.h"
#include "schema/model.h"

#include <sys/types.h>

struct live_index; /* state_index.c's */
struct ns_handle;  /* descriptors; NULL in tests of the pure parts */

/* Behind the name of a namespace that a container of the files led to. */
#define LIVE_FORMER_SUFFIX " (former)"

struct live_ns {
	struct arena *arena;
	dev_t device; /* identity: what fstat says of the namespace's file */
	ino_t inode;
	uint64_t cookie; /* SO_NETNS_COOKIE, given once in a boot; 0: the kernel has none (5.14), or
			    nobody asked (observe_cookies) */
	const char *name;   /* for people: "web", "pid 4711", "the host" */
	const char *source; /* as the file's `netns` can name it: a name in /run/netns, or a path;
			       NULL: found otherwise */
	bool host;
	bool by_process; /* found by a process alone, by its namespace or a descriptor: no name
			    leads there */
	bool user_made;  /* found by a process alone, and owned by another user namespace than ours:
			    whoever may make namespaces can have made it */
	bool former;     /* a container of the files led to it before, and none does now */
	bool engine_links; /* the container's engine is going to add links of its own */
	struct live_link *links;
	size_t n_links;
	const struct live_index *index; /* NULL: what is searched is searched one by one */
	const char *crowded; /* what was read only in part: "addresses", "routes"; NULL: nothing */
	bool own_routes;     /* of its routes those of mvapply's protocol alone were read */
	bool details;        /* addresses, routes and sysctls were read too */
	struct live_addr *addrs;
	size_t n_addrs;
	struct live_route *routes;
	size_t n_routes;
	struct live_link *default_sysctls; /* a new link here, of which only the sysctls are known;
				    NULL: nobody asked (link_sysctls_observe) */
	int nsid;   /* the number that it has in the host's namespace, by which events name it; -1:
		       none */
	bool stale; /* it could not be read, or something may have changed since */
	bool rate_limited; /* something may have changed, and it is not read yet */
	bool tagged;       /* paced: a link of mvapply's may be new in it, or have a new address */
	bool restless;     /* it was reported as such */
	bool dead;         /* the kernel said so */
	char *place; /* the path that it was found at when no container led to it any more, or NULL
		      */
	struct ns_handle *handle; /* NULL: let go */
};

enum container_state {
	CONTAINER_READY,
	CONTAINER_PENDING, /* not there yet: no error */
	CONTAINER_REFUSED, /* must not be used: the host's own, not a network namespace */
	CONTAINER_FAILED,  /* could not be read */
};

/* Where a container of the desired state is. */
struct container_lookup {
	const struct container *container;
	enum container_state state;
	bool engine_pending; /* pending: its engine has never answered yet */
	bool stale;          /* something may have changed since it was found */
	struct live_ns *ns;  /* when ready */
	const char *id;      /* the engine's, of the container that was found; else NULL */
	const char *note;    /* when ready: a sentence of warning, or NULL */
	enum code code;      /* otherwise: which error it is; CODE_NONE: it is just not there yet */
	const char *reason;  /* otherwise */
	const char *hint;    /* or NULL */
};

/* What could not be read. */
struct unreadable {
	enum {
		UNREADABLE_NAMESPACE,
		UNREADABLE_MOUNTS,      /* those that are mounted */
		UNREADABLE_HIDDEN,      /* of processes that /proc does not show */
		UNREADABLE_PROCESSES,   /* of processes that may not be read */
		UNREADABLE_DESCRIPTORS, /* those that no descriptor was left for */
	} kind;
	ino_t inode;      /* of the one namespace, else 0 */
	int errnum;       /* positive errno, or 0 */
	const char *text; /* a sentence */
};

struct live {
	struct arena *arena;         /* of everything but the namespaces' own contents */
	struct live_ns **namespaces; /* spaces[0] is the host's */
	size_t n_namespaces;
	struct container_lookup *
		container_lookups; /* one for each container, in the order of sets and containers */
	size_t n_containers;
	struct unreadable *unreadable;
	size_t n_unreadable;
	bool addr_proto; /* the kernel reports IFA_PROTO (5.18 and later) */
};

/* Whether the container could not be read. A container that is to have nothing, and that an engine
 * may not lead to, is not unknown. */
bool live_container_unknown(const struct container_lookup *lookup);
/* Whether the whole host was read: each network namespace and each container's source. A pending
 * container is complete, even if its engine does not answer. */
bool live_complete(const struct live *live);
/* The sentences of what could not be read, in the arena. */
const char **live_unreadable_texts(const struct live *live, struct arena *arena);

/* Makes its links, and the addresses and routes of one, be found without a search through all of
 * them. Moves addresses and routes; to be done again once anything changes. */
void live_ns_index(struct live_ns *ns);
const struct live_link *live_link_by_index(const struct live_ns *ns, int ifindex);
/* By name or altname. */
const struct live_link *live_link_by_name(const struct live_ns *ns, const char *name);
bool live_link_is_called(const struct live_link *link, const char *name);
/* The address that a container's link has by DHCP, or NULL. It is the only managed one that holds
 * for a time, and it is no longer preferred once half of that is over. */
const struct live_addr *live_lease(const struct live *live, const struct live_ns *ns,
				   const struct live_link *link);
/* The router of the link's lease, which a managed route without a gateway leads to; family 0: it
 * has none. */
struct ip live_lease_router(const struct live_ns *ns, const struct live_link *link);
/* The link's addresses and routes, in the order in which the kernel lists them: the first one
 * (`after` NULL), the one after another; NULL past the last. */
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
/* Whether its parent is the link of the host's with that number. In another namespace, a link may
 * have the same number. */
bool live_link_on(const struct live_link *link, int parent);
/* Whether it is of a kind that is attached to a parent, and that is not in the host's namespace:
 * somebody moved it away, or the link is another host's. What other kinds call their link may be a
 * peer. */
bool live_parent_away(const struct live_link *link);
/* Whether both are the same as the kernel's listing of links has them, without the sysctls, the
 * place of the parent and what is attached to the link. */
bool live_link_equal(const struct live_link *a, const struct live_link *b);
const char *live_sysctl(const struct live_link *link, const char *key);

#endif
