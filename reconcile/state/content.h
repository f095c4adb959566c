/* The content of a namespace as one number, to compare it with that of an earlier observation. */
#ifndef RECONCILE_STATE_CONTENT_H
#define RECONCILE_STATE_CONTENT_H

#include "reconcile/state/state.h"

/* The hash of everything that planning reads of the namespace; `secret` as in lib/keyed_hash.h, as
 * whoever controls a namespace chooses its content. Never 0. Equal content gives the same number
 * in one process. Different numbers mean nothing: a pointer or padding may differ alone. Left out:
 * the loopback's own state, and with `addr_proto` the time at which an address was added, which
 * decides nothing then. 0 if a part changes with time: an address with a limited lifetime. */
uint64_t live_ns_content(const struct live_ns *ns, bool addr_proto, uint64_t secret);

#endif
