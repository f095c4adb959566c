/* Plans the rollback of a plan that was applied, completely or in part. */
#ifndef RECONCILE_PLAN_ROLLBACK_PLAN_H
#define RECONCILE_PLAN_ROLLBACK_PLAN_H

#include "reconcile/plan/plan.h"

/* Notes what an observation leaves out: of the links that the plan will delete all their sysctls,
 * of those that it will touch their addresses and routes in the kernel's own words. To be called
 * before the plan is done. Returns 0 or a negative errno: it could not be seen what there is to
 * roll back to. */
int revert_prepare(struct live *before, const struct plan *plan, struct error *error);

/* Notes that of one step's link. */
int revert_note(const struct step *step, struct error *error);

/* What is to be made for the live link to be what it was, once it is deleted. */
struct link_spec *link_spec_of_live(struct arena *arena, const struct live *live,
				    const struct live_ns *ns, const struct live_link *link);

/* The new namespace of the container whose link the step is about, where it was started again
 * since: it led to the step's namespace, and its container in `before` is stale. NULL: there is
 * none. */
struct live_ns *revert_home(const struct step *done, const struct live *before,
			    const struct live *now);

/* The plan that leads from `now` back to what `before` was, for exactly the objects that `done`
 * touched; nothing for those that are back, or were never reached. What was created goes, unless
 * others are attached to it by now. A container's link goes to where the container is by now. `now`
 * is of observe_second. Pure. Points into all of its arguments; the caller frees with plan_free. */
const struct plan *plan_revert(const struct plan *done, const struct live *before,
			       const struct live *now);

/* Goes back, alone on this host. Returns how many objects could not be brought back, of which
 * `report` gets, or a negative errno. */
typedef void rollback_report(const char *sentence, void *data);
int revert(const struct plan *done, struct live *before, rollback_report *report, void *data,
	   struct error *error);

#endif
