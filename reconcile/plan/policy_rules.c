/* Rules of policy routing that are not needed any more. */
#include "reconcile/plan/plan_builder.h"

/* Whether an attachment in the namespace needs the rule. */
static bool rule_needed(const struct plan_builder *builder, const struct netns_group *group,
			const struct policy_rule *rule)
{
	for (size_t i = 0; group && i < group->count; i++) {
		const struct planned_attachment *planned = group->planned_all[i];
		const struct link_spec *spec = builder->specs->specs[planned->number];
		const struct policy_rules rules = {.all = spec->rules, .count = spec->n_rules};
		if (attachment_is_made(builder->conflicts, planned) &&
		    policy_rules_have(&rules, rule))
			return true;
	}
	return false;
}

struct policy_rules stale_rules_of(const struct plan_builder *builder, const struct live_ns *ns,
				   const struct live_link *link)
{
	struct arena *arena = builder->input->arena;
	const struct netns_group *group =
		netns_group_in(&builder->assigned->attachments->groups, ns);
	const struct policy_rules live = policy_rules_of(arena, ns, link);
	struct policy_rules stale = {0};
	for (size_t i = 0; i < live.count; i++)
		if (!rule_needed(builder, group, &live.all[i]))
			*array_push(arena, stale.all, stale.count) = live.all[i];
	return stale;
}
