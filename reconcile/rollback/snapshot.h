/* The addresses and routes of a link in the kernel's own words: with all that the values of
 * reconcile/state/state.h leave out, such as labels, peers, other tables, metrics and further next
 * hops. */
#ifndef RECONCILE_ROLLBACK_SNAPSHOT_H
#define RECONCILE_ROLLBACK_SNAPSHOT_H

#include "kernel/netlink.h"
#include "reconcile/plan/rollback_plan.h"
#include "reconcile/state/state.h"

/* Notes them in link->snapshot. The thread is in the namespace. Returns 0 or a negative errno. */
int snapshot_read(struct live_ns *ns, struct live_link *link, struct error *error);

/* Gives the link, if it is there, what it lacks of them by now. IPv4 addresses return in their
 * order, as the first of a subnet is the source of what is sent. What others added meanwhile stays.
 * The thread is in the namespace. Returns how many could not be put back, each of which `report`
 * gets.
 */
size_t snapshot_restore(const struct live_ns *ns, const struct live_link *link,
			rollback_report *report, void *data);

/* Others' routes of a link, of all tables, which the kernel may take along with an address of ours;
 * NULL: they cannot be seen. And puts those back that are gone by now: what has taken their place
 * stays, and what becomes of them is not asked, as a next hop may not be in any subnet any more. */
const struct snapshot *snapshot_unmanaged(struct netlink *netlink, struct arena *arena, int ifindex,
					  struct error *error);
void snapshot_restore_unmanaged(struct netlink *netlink, int ifindex, const struct snapshot *was);

#endif
