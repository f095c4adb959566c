/* The fingerprint of the state that a plan was made from, as lines of text: two observations give
 * the same lines if and only if the plan refers to the same objects in both. */
#ifndef RECONCILE_PLAN_FINGERPRINT_H
#define RECONCILE_PLAN_FINGERPRINT_H

#include "reconcile/plan/plan.h"

struct fingerprint {
	const char **lines; /* in byte order, without duplicates */
	size_t n_lines;
};

/* Contains the namespaces of the host, of the containers and of the plan's steps, the managed links
 * of the desired sets, the links that the plan refers to, and their parents. `boot` is the kernel's
 * boot id. Pure; in the arena. */
struct fingerprint fingerprint_make(const struct desired *desired, const struct live *live,
				    const struct plan *plan, const char *boot, struct arena *arena);

#endif
