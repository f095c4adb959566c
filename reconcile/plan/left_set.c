/* A set that was renamed leaves what is live under its old name. Two sets on one network are no
 * mistake, though: of a set that has nothing live yet, that may have been renamed, the one other
 * set that has all that is live of it on the same networks is named. */
#include "reconcile/plan/internal.h"

#include <string.h>

static bool is_attachment(const struct managed_link *managed)
{
	const enum role role = managed->link->mark.role;
	return role == ROLE_HOST || (role == ROLE_ATTACH && is_evident(managed));
}

/* Marks of VLAN links have several sets, and none of them is the link's alone. */
static bool has_live(const struct planner *planner, const struct set *set)
{
	for (size_t i = 0; i < planner->n_managed; i++) {
		const struct managed_link *managed = &planner->managed[i];
		if (managed->placement != PLACEMENT_STRAY &&
		    managed->link->mark.role != ROLE_VLAN &&
		    strcmp(managed->link->mark.set, set->name) == 0)
			return true;
	}
	return false;
}

/* Whether it is on a network of the set: one of its name, parent and subnet. */
static bool is_on(const struct planner *planner, const struct set *set,
		  const struct managed_link *managed)
{
	for (size_t i = 0; i < planner->n_nets; i++) {
		const struct net *net = &planner->nets[i];
		if (net->set == set && net->parent->link &&
		    strcmp(net->network->name, managed->link->mark.network) == 0)
			return live_link_on(managed->link, net->parent->link->ifindex) &&
			       (net->network->n_subnets == 0 ||
				managed_in_subnet(managed, net->network));
	}
	return false;
}

/* The first of the one other set, or NULL: there is none, or several. */
static const struct managed_link *other_find(const struct planner *planner, const struct set *set)
{
	const struct managed_link *found = NULL;
	for (size_t i = 0; i < planner->n_managed; i++) {
		const struct managed_link *managed = &planner->managed[i];
		if (!is_attachment(managed) || desired_set(planner, managed->link->mark.set) ||
		    !is_on(planner, set, managed))
			continue;
		if (found && strcmp(found->link->mark.set, managed->link->mark.set) != 0)
			return NULL;
		found = found ? found : managed;
	}
	return found;
}

/* Of a link in a container of the files, check_twice tells. */
static bool all_on(const struct planner *planner, const struct set *set, const char *other)
{
	for (size_t i = 0; i < planner->n_managed; i++) {
		const struct managed_link *managed = &planner->managed[i];
		if (is_attachment(managed) && strcmp(managed->link->mark.set, other) == 0 &&
		    (is_home(planner, managed->ns) || !is_on(planner, set, managed)))
			return false;
	}
	return true;
}

void left_set_find(struct planner *planner)
{
	for (size_t i = 0; i < planner->desired->n_sets; i++) {
		const struct set *set = &planner->desired->sets[i];
		const struct managed_link *other =
			has_live(planner, set) ? NULL : other_find(planner, set);
		if (!other || !all_on(planner, set, other->link->mark.set))
			continue;
		planner->plan->left = (struct left_set){.set = other->link->mark.set,
							.network = other->link->mark.network};
		return;
	}
}
