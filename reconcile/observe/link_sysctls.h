/* Reads all writable sysctls of links. An observation reads only those that a file names. */
#ifndef RECONCILE_OBSERVE_LINK_SYSCTLS_H
#define RECONCILE_OBSERVE_LINK_SYSCTLS_H

#include "reconcile/state/state.h"

/* Adds to the link's sysctls all that it does not have yet. The thread is in its namespace. */
void link_sysctls_read(struct live_ns *ns, struct live_link *link);

/* Does so for each link outside the host's namespace that is on one of the host's, and notes what a
 * new link would have beside it (live_ns.usual). `live` has just been read. */
void link_sysctls_observe(struct live *live);

#endif
