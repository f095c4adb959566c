/* The attachments of one namespace, whichever sets and containers name it: they share its names and
 * its default route. */
#include "reconcile/plan/internal.h"

#include <stdlib.h>

/* A container that is not there yet is alone in its own. */
static uintptr_t home_of(const struct slot *slot)
{
	return slot->ns ? (uintptr_t)slot->ns : (uintptr_t)slot->container;
}

/* By namespace, and in the order of the input in each. */
static int compare_homes(const void *a, const void *b)
{
	const struct slot *left = *(struct slot *const *)a, *right = *(struct slot *const *)b;
	uintptr_t here = home_of(left), there = home_of(right);
	if (here != there)
		return here < there ? -1 : 1;
	return (left > right) - (left < right);
}

void tenants_find(struct planner *planner)
{
	const size_t count = planner->n_attachments;
	struct slot **slots = arena_alloc(planner->scratch, (count + 1) * sizeof(*slots));
	for (size_t i = 0; i < count; i++)
		slots[i] = &planner->slots[i];
	qsort(slots, count, sizeof(struct slot *), compare_homes);
	for (size_t i = 0, end; i < count; i = end) {
		struct tenants *tenants =
			array_push(planner->scratch, planner->tenants, planner->n_tenants);
		for (end = i + 1; end < count && home_of(slots[end]) == home_of(slots[i]); end++)
			;
		*tenants = (struct tenants){.slots = &slots[i], .count = end - i};
	}
	for (size_t i = 0; i < planner->n_tenants; i++)
		for (size_t k = 0; k < planner->tenants[i].count; k++)
			planner->tenants[i].slots[k]->tenants = &planner->tenants[i];
}

static bool leads_to(const struct link_spec *want, const struct prefix *to)
{
	for (size_t i = 0; i < want->n_routes; i++)
		if (prefix_equal(&want->routes[i].to, to))
			return true;
	return false;
}

static struct verdict route_twice(struct planner *planner, const struct slot *slot,
				  const struct slot *other, const struct prefix *to)
{
	char text[PREFIX_TEXT_SIZE];
	return (struct verdict){
		.action = ACTION_BLOCKED,
		.code = CODE_ROUTE,
		.reason = arena_printf(planner->arena, "%s/%s gets a route to %s in %s, too",
				       other->container->name, other->network->name,
				       prefix_format(to, text), slot->ns->name),
		.hint = "remove one of the two",
	};
}

struct verdict tenants_check_routes(struct planner *planner, const struct slot *slot)
{
	for (size_t i = 0; slot->tenants && slot->tenants->slots[i] != slot; i++) {
		const struct slot *other = slot->tenants->slots[i];
		if (other->container == slot->container)
			continue;
		for (size_t k = 0; k < slot->want->n_routes; k++)
			if (slot->want->routes[k].via.family &&
			    leads_to(other->want, &slot->want->routes[k].to))
				return route_twice(planner, slot, other, &slot->want->routes[k].to);
	}
	return (struct verdict){.action = ACTION_CREATE};
}
