/* Which attachment takes the place of one that leaves the files, as where a network has a new name:
 * without it, the old one stays. */
#include "reconcile/plan/internal.h"

#include <stdlib.h>
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

/* The attachments of a namespace. */
struct resident {
	const struct live_ns *ns;
	const struct netns_group *netns_group;
};

struct residents {
	struct resident *items; /* by namespace */
	size_t count;
};

static int resident_compare(const void *a, const void *b)
{
	const struct resident *left = a, *right = b;
	return ((uintptr_t)left->ns > (uintptr_t)right->ns) -
	       ((uintptr_t)left->ns < (uintptr_t)right->ns);
}

static struct residents residents_find(const struct planner *planner)
{
	struct residents residents = {
		.items = arena_alloc(planner->scratch,
				     (planner->n_netns_groups + 1) * sizeof(*residents.items))};
	for (size_t i = 0; i < planner->n_netns_groups; i++) {
		const struct netns_group *netns_group = &planner->netns_group[i];
		if (netns_group->planned_all[0]->ns)
			residents.items[residents.count++] =
				(struct resident){netns_group->planned_all[0]->ns, netns_group};
	}
	if (residents.count)
		qsort(residents.items, residents.count, sizeof(*residents.items), resident_compare);
	return residents;
}

static const struct netns_group *resident_in(const struct residents *residents,
					     const struct live_ns *ns)
{
	const struct resident wanted = {.ns = ns};
	const struct resident *found =
		residents->count ? bsearch(&wanted, residents->items, residents->count,
					   sizeof(*residents->items), resident_compare)
				 : NULL;
	return found ? found->netns_group : NULL;
}

/* The attachments of a container that is not there. */
static const struct netns_group *absent_group(const struct planner *planner,
					      const struct owner_tag *mark)
{
	for (size_t i = 0; i < planner->n_netns_groups; i++) {
		const struct planned_attachment *first = planner->netns_group[i].planned_all[0];
		if (!first->ns && strcmp(first->container->name, mark->container) == 0 &&
		    strcmp(first->set->name, mark->set) == 0)
			return &planner->netns_group[i];
	}
	return NULL;
}

/* The attachments of its container, or else of whatever is in its namespace, as a container may
 * have another name in the files. A link that is not in the namespace of the container that its
 * mark names counts where that namespace is a container's of the files, or known by the container's
 * name. */
static const struct netns_group *candidates_of(const struct planner *planner,
					       const struct residents *residents,
					       const struct managed_link *managed)
{
	const struct netns_group *here = resident_in(residents, managed->ns);
	if (managed->placement != PLACEMENT_STRAY)
		return here ? here : absent_group(planner, &managed->link->mark);
	const struct container_lookup *target = declared_find(planner, &managed->link->mark);
	if (!target || target->state != TARGET_READY)
		return here;
	return here || was_home(managed) ? resident_in(residents, target->ns) : NULL;
}

void replacements_candidates(struct planner *planner)
{
	const struct residents residents = residents_find(planner);
	for (size_t i = 0; i < planner->n_managed; i++) {
		struct managed_link *managed = &planner->managed[i];
		if (managed_stale(planner, managed) && managed->link->mark.role == ROLE_ATTACH)
			managed->candidates = candidates_of(planner, &residents, managed);
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
