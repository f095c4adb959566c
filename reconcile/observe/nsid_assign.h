/* Assigns nsids in the host's namespace to the namespaces that are monitored. */
#ifndef RECONCILE_OBSERVE_NSID_ASSIGN_H
#define RECONCILE_OBSERVE_NSID_ASSIGN_H

#include "lib/error.h"
#include "reconcile/state/state.h"

/* Called for a namespace that cannot be numbered; it stays at -1. */
typedef void nsid_failed(void *data, const struct live_ns *ns, const struct error *error);

/* Numbers, in the host's namespace, each namespace that is held open and has tagged links or is a
 * container's, so that its events can be heard there. Those that had no number yet are stale then:
 * nobody told what happened to them between the observation and now. Returns how many these are. */
size_t nsids_assign(struct live *live, nsid_failed *failed, void *data);

#endif
