/* Warns about addresses of router advertisements that `policy_routing` does not cover: the kernel
 * puts the advertised default route into the main table (rt6_add_dflt_router), and one attachment
 * alone has it. */
#include "reconcile/plan/conflict.h"

static void attachment_report(const struct assigned *assigned,
			      const struct planned_attachment *planned)
{
	const struct netns_group *group = planned->netns_group;
	if (!planned->container || !planned->container->policy_routing || !group ||
	    group->count < 2 || !planned_accepts_ra(planned) || planned->network->internal ||
	    assigned->routes->assigned[planned->number].ra_default)
		return;
	warning_add(assigned->input, WARNING_POLICY_ADVERTISED,
		    planned_label(assigned->input, planned));
}

void policy_report(const struct assigned *assigned)
{
	for (size_t i = 0; i < assigned->attachments->n_containers; i++)
		attachment_report(assigned, &assigned->attachments->planned[i]);
}
