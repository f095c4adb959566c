/* Policy routing that is not needed any more. */
#include "reconcile/plan/plan_builder.h"

const struct policy *stale_policy_of(const struct plan_builder *builder, const struct live_ns *ns,
				     const struct live_link *link)
{
	struct arena *arena = builder->input->arena;
	const struct netns_group *group =
		netns_group_in(&builder->assigned->attachments->groups, ns);
	struct policy stale = policy_of_link(arena, ns, link);
	for (size_t i = 0; !policy_empty(&stale) && group && i < group->count; i++) {
		const struct planned_attachment *planned = group->planned_all[i];
		if (attachment_is_made(builder->conflicts, planned))
			stale = policy_without(arena, &stale,
					       &builder->specs->specs[planned->number]->policy);
	}
	return policy_keep(arena, stale);
}
