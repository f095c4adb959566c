/* Declarations shared by the two parts of creating links: link_create.c creates them, create.c sets
 * them up. */
#ifndef RECONCILE_APPLY_CREATE_INTERNAL_H
#define RECONCILE_APPLY_CREATE_INTERNAL_H

#include "reconcile/apply/internal.h"

/* A link that is being created. */
struct pending_link {
	const struct link_spec *spec;
	struct outcome *outcome;
	int ifindex, parent;
	bool there;      /* it exists in its namespace, with its owner tag */
	bool via_parent; /* its parent announces it */
	size_t first;    /* its first reply in the batch */
	struct operations operations;
	bool up_at_once;             /* set up by the message that sets its owner tag */
	size_t details, details_end; /* the operations that set it up, and all later ones */
};

/* Links that are created together in one namespace. */
struct group {
	struct apply_context *context;
	struct live_ns *ns;
	struct netlink *netlink; /* in the namespace */
	struct pending_link *pending_links;
	size_t n_pending_links;
	int host_nsid; /* the host's nsid in this namespace */
};

bool pending_link_failed(const struct pending_link *pending);
struct operation_context pending_operation(const struct pending_link *pending,
					   enum operation_type type);
/* The socket or the thread failed: fails the whole group. */
void group_broke(struct group *group, enum operation_type type, const struct error *error);
/* Sends what changes the kernel's state, one thread at a time: within the kernel the others would
 * spin until its lock (RTNL) is free (mutex_spin_on_owner). */
int group_send(struct group *group, struct batch *batch, struct error *error);

/* Creates the links of the group, down, each with its owner tag; sets `there` on success. */
void links_create(struct group *group);
/* Deletes an incomplete link. */
void link_undo_create(struct netlink *netlink, int ifindex);

#endif
