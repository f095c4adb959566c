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

/* Adds to ns->other_routes the routes of other links and of none
 * that the step may remove from the namespace: those that its routes replace (--adopt), and those
 * from its addresses, which the kernel flushes with an address (fib_sync_down_addr), or whose
 * source it removes (rt6_remove_prefsrc). The thread is in the namespace. Returns 0 or a negative
 * errno. */
int other_routes_take(struct live_ns *ns, const struct step *step, struct error *error);
/* Those from the addresses of the step's link alone, in the arena; the netlink socket is of its
 * namespace. NULL: there are none, or they cannot be read. */
const struct snapshot *sourced_routes_take(struct netlink *netlink, struct arena *arena,
					   const struct step *step);
/* Restores the missing ones. Refusals are not reported: an address may be gone. */
void sourced_routes_restore(struct netlink *netlink, const struct snapshot *was);

/* Restores the missing routes of ns->other_routes. One whose place another program has taken is
 * left out. Returns how many could not be restored, as above. */
size_t other_routes_restore(const struct live_ns *ns, rollback_report *report, void *data);

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
