/* The outcome of one step of a plan. */
#ifndef RECONCILE_APPLY_OUTCOME_H
#define RECONCILE_APPLY_OUTCOME_H

#include "dhcp/lease.h"
#include "lib/error.h"

#include <stdbool.h>
#include <stddef.h>

/* Addresses of router advertisements that are reported; further ones are not. */
#define ADVERTISED_MAX 4

struct outcome {
	enum {
		OUTCOME_NOT_DONE,
		OUTCOME_DONE,
		OUTCOME_FAILED,
		OUTCOME_DEFERRED, /* left out, or undone, because of another step */
	} state;
	struct error *error; /* when failed: operation, link, namespace, the kernel's own words */
	char *note; /* the reason of the deferral, or a part that is left undone by design; or NULL
		     */
	/* When failed: the live link was deleted for it, and is restored. */
	bool cut;
	struct lease *lease; /* that the step requested or renewed; NULL: none */
	struct prefix advertised[ADVERTISED_MAX]; /* addresses by router advertisements
						     (advertised.h) */
	size_t n_advertised;
};

/* Of steps that are not done. Errors and notes are kept. */
struct outcome *outcomes_new(size_t count);
void outcomes_free(struct outcome *outcomes, size_t count);
/* Frees what it holds: it is that of a step that is not done. */
void outcome_clear(struct outcome *outcome);
/* Keeps a copy of the lease. */
void outcome_lease(struct outcome *outcome, const struct lease *lease);
/* Whether it failed because another link has the MAC or the address. That link may be of a
 * namespace that the kernel is destroying: retry soon, but not under the lock. */
bool outcome_busy(const struct outcome *outcome);

#endif
