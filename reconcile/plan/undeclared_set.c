/* Finds a set that the files do not declare any more, probably because it was renamed. A second set
 * on the same networks can be intended. So only a declared set without live links can be the
 * renamed one, and only if exactly one undeclared set has all of its live links on the same
 * networks. */
#include "reconcile/plan/plan_builder.h"

#include <string.h>

static bool is_attachment(const struct managed_link *managed)
{
	const enum role role = managed->link->tag.role;
	return role == ROLE_HOST || (role == ROLE_ATTACH && is_evident(managed));
}

/* Owner tags of VLAN links have several sets: a VLAN link does not belong to a single set. */
static bool has_live(const struct matched *matched, const struct set *set)
{
	for (size_t i = 0; i < matched->managed->count; i++) {
		const struct managed_link *managed = &matched->managed->links[i];
		if (managed->placement != PLACEMENT_STRAY && managed->link->tag.role != ROLE_VLAN &&
		    strcmp(managed->link->tag.set, set->name) == 0)
			return true;
	}
	return false;
}

/* Whether the link is on a network of the set: one with its name, parent and subnet. */
static bool is_on(const struct matched *matched, const struct set *set,
		  const struct managed_link *managed)
{
	for (size_t i = 0; i < matched->parents->n_networks; i++) {
		const struct resolved_network *resolved = &matched->parents->networks[i];
		if (resolved->set == set && resolved->parent->link &&
		    strcmp(resolved->network->name, managed->link->tag.network) == 0)
			return live_link_on(managed->link, resolved->parent->link->ifindex) &&
			       (resolved->network->n_subnets == 0 ||
				managed_in_subnet(managed, resolved->network));
	}
	return false;
}

/* The first link of the only other set, or NULL: there is none, or several. */
static const struct managed_link *other_find(const struct matched *matched, const struct set *set)
{
	const struct managed_link *found = NULL;
	for (size_t i = 0; i < matched->managed->count; i++) {
		const struct managed_link *managed = &matched->managed->links[i];
		if (!is_attachment(managed) ||
		    desired_set(matched->input, managed->link->tag.set) ||
		    !is_on(matched, set, managed))
			continue;
		if (found && strcmp(found->link->tag.set, managed->link->tag.set) != 0)
			return NULL;
		found = found ? found : managed;
	}
	return found;
}

/* check_twice reports links in a container of the files. */
static bool all_on(const struct matched *matched, const struct set *set, const char *other)
{
	for (size_t i = 0; i < matched->managed->count; i++) {
		const struct managed_link *managed = &matched->managed->links[i];
		if (is_attachment(managed) && strcmp(managed->link->tag.set, other) == 0 &&
		    (is_home(matched->ownership, managed->ns) || !is_on(matched, set, managed)))
			return false;
	}
	return true;
}

struct undeclared_set undeclared_set_find(const struct matched *matched)
{
	const struct desired *desired = matched->input->desired;
	for (size_t i = 0; i < desired->n_sets; i++) {
		const struct set *set = &desired->sets[i];
		const struct managed_link *other =
			has_live(matched, set) ? NULL : other_find(matched, set);
		if (other && all_on(matched, set, other->link->tag.set))
			return (struct undeclared_set){.set = other->link->tag.set,
						       .network = other->link->tag.network};
	}
	return (struct undeclared_set){.set = NULL};
}
