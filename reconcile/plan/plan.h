/* The plan: the steps from the live state to the desired state. Pure: two values in, one value out,
 * no I/O. */
#ifndef RECONCILE_PLAN_PLAN_H
#define RECONCILE_PLAN_PLAN_H

#include "reconcile/plan/plan_options.h"
#include "reconcile/plan/step.h"

/* Never fails: an impossible change is a step with a reason. Points into desired and live, which
 * must outlive it. The caller frees it with plan_free. */
const struct plan *plan_make(const struct desired *desired, const struct live *live,
			     const struct plan_options *options);
/* The plan with one more warning. In the arena, which must outlive it; call plan_free for one of
 * the two. */
const struct plan *plan_warn(const struct plan *plan, const struct warning *warning,
			     struct arena *arena);
void plan_free(const struct plan *plan);

#endif
