/* A container that another set has attached to the same LAN already: its set was renamed, or two
 * sets name one container. */
#include "reconcile/planner.h"

/* Only what is in the slot's own namespace counts, which nobody but the container can forge. */
static bool same_lan(const struct slot *slot, const struct live_link *link)
{
	return link->mark.role == (slot->container ? ROLE_ATTACH : ROLE_HOST) &&
	       link->parent_where == PARENT_HOST && slot->parent->link &&
	       link->parent == slot->parent->link->ifindex;
}

/* Two networks of one parent may have different subnets, which is no mistake. With DHCP there need
 * be no subnet: the parent says which LAN it is. */
static bool same_subnet(const struct slot *slot, const struct live_link *link,
			const struct live_addr **ret)
{
	*ret = NULL;
	each_addr_of (addr, slot->ns, link->ifindex)
		if (!*ret && network_subnet_of(slot->network, &addr->prefix.ip))
			*ret = addr;
	return *ret || !slot->network->n_subnets;
}

struct verdict check_twice(struct planner *planner, const struct slot *slot)
{
	char text[PREFIX_TEXT_SIZE];
	const struct live_addr *addr;
	for (size_t i = 0; !slot->have && i < slot->ns->n_links; i++) {
		const struct live_link *link = &slot->ns->links[i];
		if (!same_lan(slot, link) || desired_set(planner, link->mark.set) ||
		    !same_subnet(slot, link, &addr))
			continue;
		return (struct verdict){
			.action = ACTION_BLOCKED,
			.code = CODE_TWICE,
			.reason = arena_printf(planner->arena,
					       "set \"%s\" has attached it already: %s%s%s on %s",
					       link->mark.set, link->name, addr ? " " : "",
					       addr ? prefix_format(&addr->prefix, text) : "",
					       slot->parent->link->name),
			.hint = arena_printf(planner->arena,
					     "if that set was renamed or is not wanted any more, "
					     "`mvapply delete --name %s` removes all of it",
					     link->mark.set)};
	}
	return (struct verdict){.action = ACTION_CREATE};
}
