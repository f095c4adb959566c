/* The fingerprint of what a plan was made from, as lines of text: two observations give the same
 * lines if and only if the plan still refers to the same objects. */
#ifndef RECONCILE_PLAN_FINGERPRINT_H
#define RECONCILE_PLAN_FINGERPRINT_H

#include "reconcile/plan/plan.h"

struct fingerprint {
	const char **lines; /* in byte order, none twice */
	size_t n_lines;
};

/* Holds the namespaces of the host, of the containers and of the plan's steps, the links that the
 * desired sets own, those that the plan has to do with, and what all these are attached to. `boot`
 * is the kernel's boot id. Pure; in the arena. */
struct fingerprint fingerprint_make(const struct desired *desired, const struct live *live,
				    const struct plan *plan, const char *boot, struct arena *arena);

#endif
