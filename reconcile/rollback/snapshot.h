/* A snapshot of a link's addresses and routes, as raw kernel messages, for restoring them. It
 * contains what reconcile/state/state.h leaves out: labels, peers, other tables, metrics and
 * further next hops. */
#ifndef RECONCILE_ROLLBACK_SNAPSHOT_H
#define RECONCILE_ROLLBACK_SNAPSHOT_H

#include "kernel/netlink.h"
#include "reconcile/plan/rollback_plan.h"
#include "reconcile/state/state.h"

/* Reads them into link->snapshot, in the arena of the namespace. The thread is in the namespace.
 * Returns 0 or a negative errno. */
int snapshot_take(struct live_ns *ns, struct live_link *link, struct error *error);

/* Adds to the link, if it exists, the missing addresses and routes of the snapshot. IPv4 addresses
 * are restored in their order, as the first of a subnet is the source address. Objects that others
 * added meanwhile are kept. The thread is in the namespace. Returns how many could not be restored,
 * each of which `report` gets. */
size_t snapshot_restore(const struct live_ns *ns, const struct live_link *link,
			rollback_report *report, void *data);

/* The routes of a link, of all tables, except those of mvapply's protocol: the kernel may flush
 * them together with a managed address. In the arena. NULL: they cannot be read. */
const struct snapshot *snapshot_routes_take(struct netlink *netlink, struct arena *arena,
					    int ifindex, struct error *error);
/* Restores the missing routes. A route that replaced one is kept. Refusals of the kernel are not
 * reported, as a next hop may be in no subnet any more. */
void snapshot_routes_restore(struct netlink *netlink, int ifindex, const struct snapshot *was);

/* All that the kernel flushes from a link when it is set down: IPv6 addresses, routes, permanent
 * neighbours and proxies, of whichever program; it keeps IPv4 addresses, multicast groups, queueing
 * disciplines and sysctls. In the arena. NULL: it cannot be read. */
const struct snapshot *snapshot_down_take(struct netlink *netlink, struct arena *arena, int ifindex,
					  struct error *error);
/* Restores what is missing on the link, which is up again. As above, refusals are not reported. */
void snapshot_down_restore(struct netlink *netlink, int ifindex, const struct snapshot *was);

#endif
