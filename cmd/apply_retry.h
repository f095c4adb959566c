/* Retries the steps of an apply that failed with EADDRINUSE or EEXIST. The link that holds the MAC
 * or address may belong to a namespace that is being destroyed, so the same step is retried for a
 * short time. If it still fails and mvapply chose the MAC, another MAC is tried. */
#ifndef CMD_APPLY_RETRY_H
#define CMD_APPLY_RETRY_H

#include "cmd/session.h"

/* Without the lock, which it takes for each try: others may go on meanwhile. The steps of the run
 * and their outcomes become those of the last try. */
void busy_retry(struct run *run, const struct desired *desired, struct lookups *lookups,
		const struct options *options);

#endif
