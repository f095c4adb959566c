/* Does a plan. */
#ifndef RECONCILE_APPLY_H
#define RECONCILE_APPLY_H

#include "reconcile/plan.h"

#include <stdatomic.h>

struct lessor;

struct outcome {
	enum { OUTCOME_NOT_DONE, OUTCOME_DONE, OUTCOME_FAILED } state;
	struct error *error; /* when failed: operation, link, namespace, the kernel's own words */
	const char *note;    /* what is left undone by design, in the plan's arena; or NULL */
};

/* Of steps that are not done. Their errors are theirs. */
struct outcome *outcomes_new(size_t count);
void outcomes_free(struct outcome *outcomes, size_t count);

/* Does the steps of the plan in their order; one's failure does not stop another's. `outcomes` has
 * plan->n_steps elements, of which none has an error. `live` is the one that the plan was made
 * from; its handles are used. `lessor` asks for leases of DHCP (dhcp/lessor.h). Returns 0 if every
 * step was done, or the number of failed ones. */
size_t apply(const struct plan *plan, const struct live *live, struct lessor *lessor,
	     struct outcome *outcomes);

/* The same, and counts in *done, which other threads may read, the steps that are over. NULL: does
 * not count. */
size_t apply_counting(const struct plan *plan, const struct live *live, struct lessor *lessor,
		      struct outcome *outcomes, atomic_size_t *done);

/* Serialises the mvapply processes that write in one host namespace. Both belong to that namespace
 * and vanish with the process: flock(2) of a file that only who may change the network can open,
 * and an abstract unix socket, which processes that have another /proc share, too, but which
 * anybody could take. -1: not held. */
struct apply_lock {
	int file, name;
};

/* Waits while another one holds it. Returns 0, for apply_unlock or the end of the process; or a
 * negative errno: -EBUSY where somebody who is neither root nor ourselves has the socket and there
 * is no file. */
int apply_lock(struct apply_lock *ret_lock, struct error *error);

/* In a child, after fork(2), the parent keeps it. */
void apply_unlock(const struct apply_lock *lock);

#endif
