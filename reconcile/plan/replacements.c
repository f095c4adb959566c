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
	return (planned->ns && planned->ns == managed->ns) ||
	       strcmp(planned->container->name, mark->container) == 0;
}

static unsigned likeness(const struct planned_attachment *planned,
			 const struct managed_link *managed)
{
	const struct live_link *parent = planned->parent->link;
	return 1 + 2 * managed_in_subnet(managed, planned->network) +
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

/* The attachments of its container, or else of whatever is in its namespace, as a container may
 * have another name in the files. A link that is not in the namespace of the container that its
 * mark names counts where that namespace is a container's of the files, or known by the container's
 * name. */
static const struct netns_group *candidates_of(const struct planner *planner,
					       const struct managed_link *managed)
{
	const struct container_lookup *target = declared_find(planner, &managed->link->mark);
	const struct netns_group *own = target ? netns_group_of(planner, target) : NULL;
	if (managed->placement != PLACEMENT_STRAY)
		return own;
	const struct netns_group *here = netns_group_in(planner, managed->ns);
	if (!target || target->state != TARGET_READY)
		return here;
	return here || was_home(managed) ? own : NULL;
}

void replacements_candidates(struct planner *planner)
{
	for (size_t i = 0; i < planner->n_managed; i++) {
		struct managed_link *managed = &planner->managed[i];
		if (managed_stale(planner, managed) && managed->link->mark.role == ROLE_ATTACH)
			managed->candidates = candidates_of(planner, managed);
	}
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
		if (managed->candidates)
			replacement_find(managed, managed->candidates->planned_all,
					 managed->candidates->count);
		else if (managed_stale(planner, managed) && managed->link->mark.role == ROLE_HOST &&
			 managed->placement != PLACEMENT_STRAY)
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
