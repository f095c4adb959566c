/* A plan with the leases that its run got, for reports. Pure. */
#ifndef RECONCILE_APPLY_PLAN_DONE_H
#define RECONCILE_APPLY_PLAN_DONE_H

#include "reconcile/apply/outcome.h"
#include "reconcile/plan/plan.h"

/* The specification with the addresses and routes of the lease in place of all other IPv4 ones. */
struct link_spec link_spec_leased(const struct link_spec *desired, const struct lease *lease,
				  struct arena *arena);

/* The same steps with the leases, and the addresses of router advertisements, of the run. In the
 * arena, which must outlive it; call plan_free for one of the two. */
const struct plan *plan_done(const struct plan *plan, const struct outcome *outcomes,
			     struct arena *arena);

#endif
