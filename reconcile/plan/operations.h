/* The operations of a step, in order: one for each change that is requested of the kernel. The
 * executor (reconcile/apply), the output as ip(8) commands and the tests' model of the kernel each
 * have one switch over their types. Pure. */
#ifndef RECONCILE_PLAN_OPERATIONS_H
#define RECONCILE_PLAN_OPERATIONS_H

#include "reconcile/plan/step.h"

enum operation_type {
	OP_LINK_NEW,    /* creates the link of the specification; it is down */
	OP_LINK_ALIAS,  /* sets the owner tag */
	OP_LINK_MOVE,   /* moves it into its namespace, if that is not the host's */
	OP_LINK_DELETE, /* deletes the link with its addresses and routes */
	OP_LINK_RENAME, /* renames it to `name` */
	OP_LINK_MAC,    /* sets the MAC to `mac` */
	OP_LINK_MTU,
	OP_LINK_MODE,
	OP_LINK_BCQUEUELEN,
	OP_LINK_BCLIM,
	OP_LINK_IPVLAN_FLAG,
	OP_LINK_TXQUEUELEN,
	OP_LINK_PROMISC, /* sets or clears it */
	OP_LINK_ALLMULTICAST,
	OP_LINK_UP,
	OP_LINK_DOWN,
	OP_SYSCTL_SET,     /* `sysctl` */
	OP_ALTNAME_DELETE, /* `name` */
	OP_ALTNAME_ADD,
	OP_ADDR_DELETE,
	OP_ADDR_ADD,
	OP_ROUTE_DELETE,
	OP_ROUTE_ADD,
	OP_RULE_DELETE,
	OP_RULE_ADD, /* of policy routing, in the link's namespace */
	OP_RESTORE,  /* adds addresses and routes of the specification that the kernel may have
			flushed */
	OP_LEASE,    /* requests a DHCP lease */
	N_OPERATION_TYPES,
};

struct operation {
	enum operation_type type;
	bool replace;  /* OP_ADDR_ADD, OP_ROUTE_ADD: replace the existing one (NLM_F_REPLACE) */
	bool together; /* in one datagram with the previous operation, so that nothing happens in
			  between */
	/* OP_RESTORE: the kernel flushes in any case, not only when a rename requires the link to
	 * be down (before 6.2). */
	bool certain;
	const char *name;
	struct mac mac;
	const struct prefix *addr;
	const struct link_route *route;
	const struct link_sysctl *sysctl;
	const struct policy_rule *rule;
};

struct operations {
	struct operation *all;
	size_t count;
};

/* In the arena; they point into the specification. OP_LINK_NEW is the first, then OP_LINK_ALIAS
 * and, outside of the host's namespace, OP_LINK_MOVE. */
struct operations create_operations(struct arena *arena, const struct link_spec *spec);

/* The operations that remove the policy: the rules before the routes that they lead to. */
struct operations policy_operations(struct arena *arena, const struct policy *policy);

/* The operations of a step that changes a link in place. Removals first, before any link is deleted
 * or created, since other steps may wait for them: the name and MAC, if they are in a cycle, and
 * addresses and routes. Then additions. In the arena; they point into the step. */
struct operations give_up_operations(struct arena *arena, const struct step *step);
struct operations change_operations(struct arena *arena, const struct step *step);

/* The same, all of them, for another program's link (ROLE_PARENT). */
struct operations requested_operations(struct arena *arena, const struct step *step);

/* The operations that OP_RESTORE expands to. */
struct operations restore_operations(struct arena *arena, const struct link_spec *spec);

/* Whether the kernel may also flush unmanaged routes of the link: with its last address or their
 * source address. */
bool step_may_flush(const struct step *step);

#endif
