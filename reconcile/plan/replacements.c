/* Which attachment takes the place of one that leaves the files, as where a network has a new name:
 * without it, the old one stays. */
#include "reconcile/plan/internal.h"

#include <string.h>

/* Whether it is an attachment of the same container, or in the same namespace, that is not live. */
static bool may_replace(const struct slot *slot, const struct owned *owned)
{
	const struct mark *mark = &owned->link->mark;
	if (slot->have || slot->kept || slot->replaces || strcmp(slot->set->name, mark->set) != 0)
		return false;
	if (mark->role == ROLE_HOST || !slot->container)
		return mark->role == ROLE_HOST && !slot->container;
	return slot->ns ? slot->ns == owned->ns
			: strcmp(slot->container->name, mark->container) == 0;
}

static bool in_subnet(const struct slot *slot, const struct owned *owned)
{
	const struct live_ns *ns = owned->ns;
	for (size_t i = 0; i < ns->n_addrs; i++)
		if (ns->addrs[i].ifindex == owned->link->ifindex &&
		    network_subnet_of(slot->network, &ns->addrs[i].prefix.ip))
			return true;
	return false;
}

static unsigned likeness(const struct slot *slot, const struct owned *owned)
{
	const struct live_link *parent = slot->parent->link;
	return 1 + 2 * in_subnet(slot, owned) +
	       (parent && live_link_on(owned->link, parent->ifindex));
}

/* The one that is most like it, of the same subnet and parent; of as like ones the first. */
static void replacement_find(struct owned *owned, struct slot **slots, size_t count)
{
	unsigned best = 0;
	for (size_t i = 0; i < count; i++) {
		const unsigned like = may_replace(slots[i], owned) ? likeness(slots[i], owned) : 0;
		if (like <= best)
			continue;
		best = like;
		owned->replacement = slots[i];
	}
	if (owned->replacement)
		owned->replacement->replaces = true;
}

/* Where the attachments of its container are, or of whatever else is in its namespace. */
static const struct tenants *tenants_of(const struct planner *planner, const struct owned *owned)
{
	for (size_t i = 0; i < planner->n_tenants; i++) {
		const struct slot *first = planner->tenants[i].slots[0];
		if (first->ns ? first->ns == owned->ns
			      : strcmp(first->container->name, owned->link->mark.container) == 0 &&
					strcmp(first->set->name, owned->link->mark.set) == 0)
			return &planner->tenants[i];
	}
	return NULL;
}

static void host_replacement_find(struct planner *planner, struct owned *owned)
{
	const size_t count = planner->n_slots - planner->n_attachments;
	struct slot **slots = arena_alloc(planner->scratch, (count + 1) * sizeof(*slots));
	for (size_t i = 0; i < count; i++)
		slots[i] = &planner->slots[planner->n_attachments + i];
	replacement_find(owned, slots, count);
}

void replacements_find(struct planner *planner)
{
	for (size_t i = 0; i < planner->n_owned; i++) {
		struct owned *owned = &planner->owned[i];
		if (!owned_orphan(planner, owned) || owned->placement == PLACEMENT_STRAY)
			continue;
		const struct tenants *tenants =
			owned->link->mark.role == ROLE_ATTACH ? tenants_of(planner, owned) : NULL;
		if (tenants)
			replacement_find(owned, tenants->slots, tenants->count);
		else if (owned->link->mark.role == ROLE_HOST)
			host_replacement_find(planner, owned);
	}
}

/* Once the steps have their order. */
void replacements_number(struct plan *plan)
{
	for (size_t i = 0; i < plan->n_steps; i++) {
		struct step *step = &plan->steps[i];
		for (size_t k = 0; step->replacement && k < plan->n_steps; k++)
			if (plan->steps[k].want == step->replacement)
				step->replaced_by = k + 1;
	}
}
