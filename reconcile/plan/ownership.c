/* Which marked links are believed: those in the host's own namespace, and those in the namespace of
 * the container that they name. Whoever has a namespace can make links on the host's parents (a
 * macvlan of a macvlan lands on its lower device, macvlan_common_newlink) and give them any alias.
 */
#include "reconcile/plan/internal.h"

#include <stdlib.h>
#include <string.h>

static int pointer_compare(const void *a, const void *b)
{
	const uintptr_t left = (uintptr_t) * (struct live_ns *const *)a;
	const uintptr_t right = (uintptr_t) * (struct live_ns *const *)b;
	return (left > right) - (left < right);
}

static int names_compare(const char *set, const char *container, const struct declared *with)
{
	int order = strcmp(set, with->set);
	return order ? order : strcmp(container, with->target->container->name);
}

static int declared_compare(const void *a, const void *b)
{
	const struct declared *left = a;
	return names_compare(left->set, left->target->container->name, b);
}

void placements_index(struct planner *planner)
{
	const struct live *live = planner->live;
	const size_t room = live->n_targets + 1;
	planner->declared = arena_alloc(planner->scratch, room * sizeof(*planner->declared));
	planner->homes = arena_alloc(planner->scratch, room * sizeof(struct live_ns *));
	for (size_t s = 0; s < planner->desired->n_sets; s++)
		for (size_t i = 0; i < planner->desired->sets[s].n_containers; i++) {
			const struct container_lookup *target = &live->targets[planner->n_declared];
			planner->declared[planner->n_declared++] = (struct declared){
				.set = planner->desired->sets[s].name, .target = target};
			if (target->state == TARGET_READY)
				planner->homes[planner->n_homes++] = target->ns;
		}
	qsort(planner->declared, planner->n_declared, sizeof(*planner->declared), declared_compare);
	qsort(planner->homes, planner->n_homes, sizeof(struct live_ns *), pointer_compare);
}

const struct container_lookup *declared_find(const struct planner *planner,
					     const struct owner_tag *mark)
{
	size_t low = 0, high = planner->n_declared;
	while (low < high) {
		const size_t middle = low + (high - low) / 2;
		const struct declared *declared = &planner->declared[middle];
		const int order = names_compare(mark->set, mark->container, declared);
		if (order == 0)
			return declared->target;
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return NULL;
}

bool is_home(const struct planner *planner, const struct live_ns *ns)
{
	return planner->n_homes && bsearch(&ns, planner->homes, planner->n_homes,
					   sizeof(struct live_ns *), pointer_compare);
}

enum placement placement_of(const struct planner *planner, const struct live_ns *ns,
			    const struct owner_tag *mark)
{
	if (mark->role != ROLE_ATTACH)
		return ns->host ? PLACEMENT_OWN : PLACEMENT_STRAY;
	const struct container_lookup *target = declared_find(planner, mark);
	if (target && target->state == TARGET_READY)
		return target->ns == ns ? PLACEMENT_OWN : PLACEMENT_STRAY;
	return is_home(planner, ns) || ns->user_made ? PLACEMENT_STRAY : PLACEMENT_UNKNOWN;
}

/* Whether an engine or CNI has named the namespace, which says nothing of the container in it; or
 * its name is a path. A process alone is no name. */
static bool named_by_engine(const struct live_ns *ns)
{
	static const char *const prefixes[] = {"docker ", "netns-", "cni-", "/"};
	for (size_t i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++)
		if (strncmp(ns->name, prefixes[i], strlen(prefixes[i])) == 0)
			return true;
	return false;
}

bool was_home(const struct managed_link *managed)
{
	return managed->ns->former || named_by_engine(managed->ns) ||
	       strcmp(managed->ns->name, managed->link->mark.container) == 0;
}

bool is_evident(const struct managed_link *managed)
{
	if (managed->placement != PLACEMENT_UNKNOWN)
		return managed->placement == PLACEMENT_OWN;
	return was_home(managed);
}

const char *deletion_reason(struct planner *planner, const struct managed_link *managed,
			    bool *ret_stray)
{
	const struct owner_tag *mark = &managed->link->mark;
	const char *link = managed->link->name, *ns = managed->ns->name;
	const struct container_lookup *target =
		mark->container ? declared_find(planner, mark) : NULL;
	const struct managed_link *first = managed_find(planner, mark, managed->ns);
	const bool second = first != managed && first->wanted;
	*ret_stray = second;
	if (second)
		return arena_printf(planner->arena, "%s in %s, a second link with the mark of %s",
				    link, ns, first->link->name);
	if (managed->placement != PLACEMENT_STRAY)
		return NULL;
	*ret_stray = target || managed->ns->user_made;
	if (target && target->state == TARGET_READY)
		return arena_printf(planner->arena, "%s in %s, which is not the namespace of %s",
				    link, ns, mark->container);
	if (managed->ns->user_made)
		return arena_printf(planner->arena, "%s in %s, a namespace that another user made",
				    link, ns);
	return arena_printf(planner->arena, "%s in %s, the namespace of another container", link,
			    ns);
}
