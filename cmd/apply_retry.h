/* Retries the steps of an apply that failed with EADDRINUSE or EEXIST. The link that holds the MAC
 * or address may belong to a namespace that is being destroyed, so the same step is retried for a
 * short time. If it still fails and mvapply chose the MAC, another MAC is tried. */
#ifndef CMD_APPLY_RETRY_H
#define CMD_APPLY_RETRY_H

#include "cmd/session.h"

/* Call it without the lock, which is taken for each try, so that other processes can run meanwhile.
 * The run's steps and outcomes become those of the last try. */
void busy_retry(struct run *run, const struct desired *desired, struct lookups *lookups,
		const struct options *options);

#endif
