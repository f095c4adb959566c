/* The content of a namespace as one number, to compare it with that of an earlier observation. */
#ifndef RECONCILE_STATE_CONTENT_H
#define RECONCILE_STATE_CONTENT_H

#include "reconcile/state/state.h"

/* The hash of everything that planning reads of the namespace; `secret` as in lib/keyed_hash.h, as
 * whoever controls a namespace chooses its content. The same number means the same content, except
 * for the loopback's own state, and with `addr_proto` the time at which an address was added, which
 * decide nothing. Another number means nothing: padding may differ alone. 0: a part changes with
 * time, as an address with a limited lifetime does. */
uint64_t live_ns_content(const struct live_ns *ns, bool addr_proto, uint64_t secret);

#endif
