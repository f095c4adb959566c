/* Steps of an apply that failed because another link has the MAC or address are tried again for a
 * short time: it may be the rest of a namespace that died. After that, where mvapply chooses the
 * MAC, with another one. */
#ifndef CMD_APPLY_RETRY_H
#define CMD_APPLY_RETRY_H

#include "cmd/session.h"

/* Without the lock, which it takes for each try: others may go on meanwhile. The steps of the run
 * and their outcomes become those of the last try. */
void busy_retry(struct run *run, const struct desired *desired, struct lookups *lookups,
		const struct options *options);

#endif
