/* Assigns nsids in the host's namespace to the namespaces that are monitored. */
#ifndef RECONCILE_OBSERVE_NSID_ASSIGN_H
#define RECONCILE_OBSERVE_NSID_ASSIGN_H

#include "lib/error.h"
#include "reconcile/state/state.h"

/* Called for a namespace that cannot get an nsid; its nsid stays -1. */
typedef void nsid_failed(void *data, const struct live_ns *ns, const struct error *error);

/* Assigns an nsid in the host's namespace to each open namespace that has tagged links or is a
 * container's, so that its events are received. A namespace that gets its first nsid becomes stale:
 * its events since the observation were missed. Returns their number. */
size_t nsids_assign(struct live *live, nsid_failed *failed, void *data);

#endif
