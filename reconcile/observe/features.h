/* Asks the kernel for those features that the files need. */
#ifndef RECONCILE_OBSERVE_FEATURES_H
#define RECONCILE_OBSERVE_FEATURES_H

#include "lib/error.h"
#include "reconcile/state/state.h"

/* Sets `lacks` and `features_known` of the observed state, in whose host namespace the caller is.
 * `before`: an earlier observation, whose answers are kept, or NULL. Returns 0, or a negative
 * errno. */
int features_read(struct live *live, const struct live *before, const struct desired *desired,
		  struct error *error);

#endif
