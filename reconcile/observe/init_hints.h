/* What to do about a container of LXC, Incus or systemd that does not run. */
#ifndef RECONCILE_OBSERVE_INIT_HINTS_H
#define RECONCILE_OBSERVE_INIT_HINTS_H

#include "reconcile/state/state.h"

/* Sets the hint of each such lookup without one: the name of a running container that was
 * misspelt, or the command that starts it. */
void init_hints(struct live *live);

#endif
