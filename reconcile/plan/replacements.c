/* Which attachment takes the place of one that leaves the files, as where a network has a new name:
 * without it, the old one stays. */
#include "reconcile/plan/internal.h"

#include <string.h>

/* Whether it is an attachment of the same container, or in the same namespace, that is not live. */
static bool may_replace(const struct planned_attachment *planned,
			const struct managed_link *managed)
{
	const struct owner_tag *mark = &managed->link->mark;
	if (planned->current || planned->kept || planned->replaces ||
	    strcmp(planned->set->name, mark->set) != 0)
		return false;
	if (mark->role == ROLE_HOST || !planned->container)
		return mark->role == ROLE_HOST && !planned->container;
	return planned->ns ? planned->ns == managed->ns
			   : strcmp(planned->container->name, mark->container) == 0;
}

static bool in_subnet(const struct planned_attachment *planned, const struct managed_link *managed)
{
	const struct live_ns *ns = managed->ns;
	for (size_t i = 0; i < ns->n_addrs; i++)
		if (ns->addrs[i].ifindex == managed->link->ifindex &&
		    network_subnet_of(planned->network, &ns->addrs[i].prefix.ip))
			return true;
	return false;
}

static unsigned likeness(const struct planned_attachment *planned,
			 const struct managed_link *managed)
{
	const struct live_link *parent = planned->parent->link;
	return 1 + 2 * in_subnet(planned, managed) +
	       (parent && live_link_on(managed->link, parent->ifindex));
}

/* The one that is most like it, of the same subnet and parent; of as like ones the first. */
static void replacement_find(struct managed_link *managed, struct planned_attachment **planned_all,
			     size_t count)
{
	unsigned best = 0;
	for (size_t i = 0; i < count; i++) {
		const unsigned like = may_replace(planned_all[i], managed)
					      ? likeness(planned_all[i], managed)
					      : 0;
		if (like <= best)
			continue;
		best = like;
		managed->replacement = planned_all[i];
	}
	if (managed->replacement)
		managed->replacement->replaces = true;
}

/* Where the attachments of its container are, or of whatever else is in its namespace. */
static const struct netns_group *netns_groups_of(const struct planner *planner,
						 const struct managed_link *managed)
{
	for (size_t i = 0; i < planner->n_netns_groups; i++) {
		const struct planned_attachment *first = planner->netns_group[i].planned_all[0];
		if (first->ns
			    ? first->ns == managed->ns
			    : strcmp(first->container->name, managed->link->mark.container) == 0 &&
				      strcmp(first->set->name, managed->link->mark.set) == 0)
			return &planner->netns_group[i];
	}
	return NULL;
}

static void host_replacement_find(struct planner *planner, struct managed_link *managed)
{
	const size_t count = planner->n_planned - planner->n_attachments;
	struct planned_attachment **planned_all =
		arena_alloc(planner->scratch, (count + 1) * sizeof(*planned_all));
	for (size_t i = 0; i < count; i++)
		planned_all[i] = &planner->planned_all[planner->n_attachments + i];
	replacement_find(managed, planned_all, count);
}

void replacements_find(struct planner *planner)
{
	for (size_t i = 0; i < planner->n_managed; i++) {
		struct managed_link *managed = &planner->managed[i];
		if (!managed_stale(planner, managed) || managed->placement == PLACEMENT_STRAY)
			continue;
		const struct netns_group *netns_group = managed->link->mark.role == ROLE_ATTACH
								? netns_groups_of(planner, managed)
								: NULL;
		if (netns_group)
			replacement_find(managed, netns_group->planned_all, netns_group->count);
		else if (managed->link->mark.role == ROLE_HOST)
			host_replacement_find(planner, managed);
	}
}

/* Once the steps have their order. */
void replacements_number(struct plan *plan)
{
	for (size_t i = 0; i < plan->n_steps; i++) {
		struct step *step = &plan->steps[i];
		for (size_t k = 0; step->replacement && k < plan->n_steps; k++)
			if (plan->steps[k].desired == step->replacement)
				step->replaced_by = k + 1;
	}
}
