/* The plan: the steps from the live state to the desired state. Pure: two values in, one value out,
 * no I/O. */
#ifndef RECONCILE_PLAN_PLAN_H
#define RECONCILE_PLAN_PLAN_H

#include "reconcile/plan/plan_options.h"
#include "reconcile/plan/step.h"

/* Never fails: what cannot be done is a step that says so. Points into desired and live, which have
 * to outlive it. The caller frees it with plan_free. */
const struct plan *plan_make(const struct desired *desired, const struct live *live,
			     const struct plan_options *options);
/* The plan with one warning more. In the arena, which has to outlive it; either one may be given to
 * plan_free, once. */
const struct plan *plan_warn(const struct plan *plan, const struct warning *warning,
			     struct arena *arena);
void plan_free(const struct plan *plan);

#endif
