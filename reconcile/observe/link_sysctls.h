/* Reads all writable sysctls of links. An observation reads only those that a file names. */
#ifndef RECONCILE_OBSERVE_LINK_SYSCTLS_H
#define RECONCILE_OBSERVE_LINK_SYSCTLS_H

#include "reconcile/state/state.h"

/* Adds to the link all sysctls that it lacks. The thread is in the link's namespace. */
void link_sysctls_read(struct live_ns *ns, struct live_link *link);

/* Does so for each link outside the host's namespace whose parent is one of the host's, and records
 * the default sysctls of a new link in that namespace. `live` was just read. */
void link_sysctls_observe(struct live *live);

#endif
