/* The last phase of planning: the steps from the live state to the specifications. */
#ifndef RECONCILE_PLAN_PLAN_BUILDER_H
#define RECONCILE_PLAN_PLAN_BUILDER_H

#include "reconcile/plan/link_specs.h"
#include "reconcile/plan/step_build.h"

struct plan_builder {
	const struct plan_input *input;
	const struct assigned *assigned;
	const struct conflicts *conflicts;
	const struct link_specs *specs;
	struct steps *steps;
	bool *deleted; /* by managed_link.number: the link is deleted, permanently or to be created
			 again */
};

/* policy_stale.c: the policy of the link's routes that no attachment needs; NULL: none. */
const struct policy *stale_policy_of(const struct plan_builder *builder, const struct live_ns *ns,
				     const struct live_link *link);

/* stale_links.c: links of the desired sets that the desired state does not name. */
void stale_links_plan(const struct plan_builder *builder);

/* parent_steps.c */
/* Reports a network that cannot be created once, under its own name. */
void networks_report(const struct plan_builder *builder);
/* Call it after all other deletions are known: managed parents that no network uses any more are
 * deleted, or kept while a remaining link is attached to them; missing ones are created. */
void parents_plan(const struct plan_builder *builder);

/* requested_link_steps.c: changes of links that networks with `manage_parent` need, and their
 * undoing. Call it after parents_plan. */
void requested_links_plan(const struct plan_builder *builder);

/* guard.c: whether the plan would delete too many attachments of a set. */
struct guard guard_check(const struct plan_builder *builder);

/* undeclared_set.c */
struct undeclared_set undeclared_set_find(const struct matched *matched);

#endif
