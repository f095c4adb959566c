/* Finds out whether the host's links have more links on them than an observation knows. */
#ifndef RECONCILE_OBSERVE_UNACCOUNTED_LINKS_H
#define RECONCILE_OBSERVE_UNACCOUNTED_LINKS_H

#include "reconcile/state/state.h"

/* The kernel lists no link of a network namespace that it is not asked for, but each macvlan,
 * ipvlan, macvtap or VLAN link that is up enters its multicast groups into its parent's list
 * (dev_mc_sync), and each link that is up is in 224.0.0.1 (ip_mc_up). /proc/net/dev_mcast says how
 * often a link has that group's address. `dev_mcast` is its text, which is cut into lines. A link
 * that is down is not counted: it sends nothing, and its addresses are not in use. More than the
 * number expected can have other causes, so true means that a search may find something. */
bool links_unaccounted(const struct live *live, char *dev_mcast);

/* The same, read in the thread's network namespace, which has to be the host's. True where it
 * cannot be read. */
bool links_unaccounted_here(const struct live *live);

#endif
