/* A plan with the leases that its run got, for reports. Pure. */
#ifndef RECONCILE_APPLY_PLAN_DONE_H
#define RECONCILE_APPLY_PLAN_DONE_H

#include "reconcile/apply/outcome.h"
#include "reconcile/plan/plan.h"

/* The specification with the addresses and routes of the lease in place of all others of IPv4. */
struct link_spec link_spec_leased(const struct link_spec *desired, const struct lease *lease,
				  struct arena *arena);

/* The same steps with what is known since they were done. In the arena, which
 * has to outlive it; either one may be given to plan_free, once. */
const struct plan *plan_done(const struct plan *plan, const struct outcome *outcomes,
			     struct arena *arena);

#endif
