/* What the two halves of creating links share: link_create.c makes them, create.c brings them up.
 */
#ifndef RECONCILE_APPLY_CREATE_INTERNAL_H
#define RECONCILE_APPLY_CREATE_INTERNAL_H

#include "reconcile/apply/internal.h"

/* One link on its way. */
struct making {
	const struct link_spec *spec;
	struct outcome *outcome;
	int ifindex, parent;
	bool there;   /* the link is in its namespace, with its mark */
	bool outside; /* its parent announces it */
	size_t first; /* its first reply in the batch */
};

/* The links that are made together, in one namespace. */
struct group {
	struct applier *applier;
	struct live_ns *ns;
	struct netlink *netlink; /* inside */
	struct making *makings;
	size_t n_makings;
	int host_nsid; /* the number of the host's namespace in this one */
};

bool making_failed(const struct making *making);
struct doing making_doing(const struct making *making, enum deed deed);
/* The socket or the thread failed: none of the group goes on. */
void group_broke(struct group *group, enum deed deed, const struct error *error);

/* Makes the links of the group, down, each with its mark; those that are there say so. */
void births_do(struct group *group);
/* Deletes a link that did not come to its end. */
void link_take_back(struct netlink *netlink, int ifindex);

#endif
