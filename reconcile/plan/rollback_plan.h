/* Plans the rollback of a plan that was applied, completely or in part. */
#ifndef RECONCILE_PLAN_ROLLBACK_PLAN_H
#define RECONCILE_PLAN_ROLLBACK_PLAN_H

#include "reconcile/plan/plan.h"

/* Takes a snapshot of the state that an observation does not read: all sysctls of the links that
 * the plan will delete, and the addresses and routes, as raw messages, of those that it will touch.
 * Call it before the plan is applied. Returns 0, or a negative errno if the state to roll back to
 * could not be read. */
int revert_prepare(struct live *before, const struct plan *plan, struct error *error);

/* Takes the snapshot of one step's link. `all_sysctls`: also those that the files do not declare,
 * some hundred files of /proc/sys, each of which takes time in proportion to the namespaces. */
int revert_note(const struct step *step, bool all_sysctls, struct error *error);

/* The specification that recreates the live link after its deletion. */
struct link_spec *link_spec_of_live(struct arena *arena, const struct live *live,
				    const struct live_ns *ns, const struct live_link *link);

/* The new namespace of the step's container, if the container was restarted: it was in the step's
 * namespace, and its lookup in `before` is stale. NULL: none. */
struct live_ns *revert_namespace(const struct step *done, const struct live *before,
				 const struct live *now);

/* The plan from `now` back to `before`, for exactly the objects that `done` touched; without steps
 * for those that are restored already or were never reached. Created links are deleted unless other
 * links are attached to them now. A container's link is created in the container's current
 * namespace. `now` is a result of observe_second. Pure. Points into all of its arguments; the
 * caller frees it with plan_free. */
const struct plan *plan_revert(const struct plan *done, const struct live *before,
			       const struct live *now);

/* Rolls back; no other process of this host may run. Returns how many objects could not be
 * restored, each of which `report` gets, or a negative errno. */
typedef void rollback_report(const char *sentence, void *data);
int revert(const struct plan *done, struct live *before, rollback_report *report, void *data,
	   struct error *error);

#endif
