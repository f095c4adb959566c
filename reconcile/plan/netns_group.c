/* The attachments of one namespace, whichever sets and containers name it: they share its names and
 * its default route. */
#include "reconcile/plan/internal.h"

#include <stdlib.h>

/* A container that is not there yet is alone in its own. */
static uintptr_t home_of(const struct planned_attachment *planned)
{
	return planned->ns ? (uintptr_t)planned->ns : (uintptr_t)planned->container;
}

/* By namespace, and in the order of the input in each. */
static int compare_homes(const void *a, const void *b)
{
	const struct planned_attachment *left = *(struct planned_attachment *const *)a,
					*right = *(struct planned_attachment *const *)b;
	uintptr_t here = home_of(left), there = home_of(right);
	if (here != there)
		return here < there ? -1 : 1;
	return (left > right) - (left < right);
}

void netns_groups_find(struct planner *planner)
{
	const size_t count = planner->n_attachments;
	struct planned_attachment **planned_all =
		arena_alloc(planner->scratch, (count + 1) * sizeof(*planned_all));
	for (size_t i = 0; i < count; i++)
		planned_all[i] = &planner->planned_all[i];
	qsort(planned_all, count, sizeof(struct planned_attachment *), compare_homes);
	for (size_t i = 0, end; i < count; i = end) {
		struct netns_group *netns_group =
			array_push(planner->scratch, planner->netns_group, planner->n_netns_groups);
		for (end = i + 1;
		     end < count && home_of(planned_all[end]) == home_of(planned_all[i]); end++)
			;
		*netns_group =
			(struct netns_group){.planned_all = &planned_all[i], .count = end - i};
	}
	for (size_t i = 0; i < planner->n_netns_groups; i++)
		for (size_t k = 0; k < planner->netns_group[i].count; k++)
			planner->netns_group[i].planned_all[k]->netns_group =
				&planner->netns_group[i];
}

static int compare_home(const void *home, const void *netns_group)
{
	const uintptr_t here = *(const uintptr_t *)home,
			there = home_of(((const struct netns_group *)netns_group)->planned_all[0]);
	return (here > there) - (here < there);
}

static const struct netns_group *group_at(const struct planner *planner, uintptr_t home)
{
	return planner->n_netns_groups
		       ? bsearch(&home, planner->netns_group, planner->n_netns_groups,
				 sizeof(*planner->netns_group), compare_home)
		       : NULL;
}

const struct netns_group *netns_group_in(const struct planner *planner, const struct live_ns *ns)
{
	return group_at(planner, (uintptr_t)ns);
}

const struct netns_group *netns_group_of(const struct planner *planner,
					 const struct container_lookup *target)
{
	return target->state == TARGET_READY ? netns_group_in(planner, target->ns)
					     : group_at(planner, (uintptr_t)target->container);
}

static bool leads_to(const struct link_spec *desired, const struct prefix *to)
{
	for (size_t i = 0; i < desired->n_routes; i++)
		if (prefix_equal(&desired->routes[i].to, to))
			return true;
	return false;
}

static struct check_result route_twice(struct planner *planner,
				       const struct planned_attachment *planned,
				       const struct planned_attachment *other,
				       const struct prefix *to)
{
	char text[PREFIX_TEXT_SIZE];
	return (struct check_result){
		.action = ACTION_BLOCKED,
		.code = CODE_ROUTE,
		.reason = arena_printf(planner->arena, "%s/%s gets a route to %s in %s, too",
				       other->container->name, other->network->name,
				       prefix_format(to, text), planned->ns->name),
		.hint = "remove one of the two",
	};
}

struct check_result netns_groups_check_routes(struct planner *planner,
					      const struct planned_attachment *planned)
{
	for (size_t i = 0; planned->netns_group && planned->netns_group->planned_all[i] != planned;
	     i++) {
		const struct planned_attachment *other = planned->netns_group->planned_all[i];
		if (other->container == planned->container)
			continue;
		for (size_t k = 0; k < planned->desired->n_routes; k++)
			if (planned->desired->routes[k].via.family &&
			    leads_to(other->desired, &planned->desired->routes[k].to))
				return route_twice(planner, planned, other,
						   &planned->desired->routes[k].to);
	}
	return (struct check_result){.action = ACTION_CREATE};
}
