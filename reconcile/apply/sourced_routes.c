/* Routes of other links, whichever program made them, from an address of a link that this run
 * changes or replaces. The kernel flushes them with the address (fib_sync_down_addr), also if the
 * address returns: in another order, on a replaced link, or on another link of the container. */
#include "reconcile/apply/internal.h"

#include "reconcile/plan/operations.h"
#include "reconcile/rollback/snapshot.h"

static bool may_return(const struct step *step)
{
	return step->current && (step->action == ACTION_REPLACE || step->replaced_by ||
				 (step->action == ACTION_CHANGE && step_may_flush(step)));
}

void sourced_note(struct apply_context *context)
{
	struct error ignored;
	for (size_t i = 0; i < context->plan->n_steps; i++) {
		const struct step *step = &context->plan->steps[i];
		if (!step_selected(context, step) || !may_return(step))
			continue;
		struct netlink *netlink = ns_socket(context, step->ns, &ignored);
		if (netlink)
			context->sourced[i] = sourced_routes_take(netlink, context->arena, step);
	}
}

void sourced_put_back(struct apply_context *context)
{
	struct error ignored;
	for (size_t i = 0; i < context->plan->n_steps; i++) {
		struct netlink *netlink =
			context->sourced[i]
				? ns_socket(context, context->plan->steps[i].ns, &ignored)
				: NULL;
		if (netlink)
			sourced_routes_restore(netlink, context->sourced[i]);
	}
}
