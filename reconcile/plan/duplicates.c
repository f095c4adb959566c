/* A container that two sets attach to the same LAN: a set was renamed, or two sets name one
 * container. */
#include "reconcile/plan/internal.h"

/* Only what is in the slot's own namespace counts, which nobody but the container can forge. */
static bool same_lan(const struct slot *slot, const struct live_link *link)
{
	return link->mark.role == (slot->container ? ROLE_ATTACH : ROLE_HOST) &&
	       slot->parent->link && live_link_on(link, slot->parent->link->ifindex);
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

/* The link of a set that the files do not name; NULL: there is none. */
static const struct live_link *other_link(const struct planner *planner, const struct slot *slot,
					  const struct live_addr **ret_addr)
{
	for (size_t i = 0; i < slot->ns->n_links; i++) {
		const struct live_link *link = &slot->ns->links[i];
		if (link != slot->have && same_lan(slot, link) &&
		    !desired_set(planner, link->mark.set) && same_subnet(slot, link, ret_addr))
			return link;
	}
	return NULL;
}

static const char *link_text(struct planner *planner, const struct slot *slot,
			     const struct live_link *link, const struct live_addr *addr)
{
	char text[PREFIX_TEXT_SIZE];
	return arena_printf(planner->arena, "%s%s%s on %s", link->name, addr ? " " : "",
			    addr ? prefix_format(&addr->prefix, text) : "",
			    slot->parent->link->name);
}

static const char *remedy(struct planner *planner, const char *set)
{
	return arena_printf(planner->arena,
			    "if that set was renamed or is not wanted any more, "
			    "`mvapply delete --name %s` removes all of it",
			    set);
}

static struct verdict other_set(struct planner *planner, const struct slot *slot)
{
	const struct live_addr *addr;
	const struct live_link *link = other_link(planner, slot, &addr);
	if (!link)
		return (struct verdict){.action = ACTION_CREATE};
	const char *text = link_text(planner, slot, link, addr);
	if (!slot->have)
		return (struct verdict){
			.action = ACTION_BLOCKED,
			.code = CODE_TWICE,
			.reason = arena_printf(planner->arena,
					       "set \"%s\" has attached it already: %s",
					       link->mark.set, text),
			.hint = remedy(planner, link->mark.set)};
	warning_add(planner, "%s has a second link on the LAN of %s, of set \"%s\": %s; %s",
		    slot->ns->name, slot->have->name, link->mark.set, text,
		    remedy(planner, link->mark.set));
	return (struct verdict){.action = ACTION_CREATE};
}

/* Whether the other slot is of another set, and attaches the same namespace to the same LAN. */
static bool competes(const struct slot *slot, const struct slot *other)
{
	if (other->set == slot->set || other->ns != slot->ns || other->parent != slot->parent ||
	    other->verdict.action != ACTION_CREATE)
		return false;
	for (size_t i = 0; i < 2; i++)
		if (other->ip[i].family && network_subnet_of(slot->network, &other->ip[i]))
			return true;
	return !slot->network->n_subnets || !other->network->n_subnets;
}

static struct verdict other_slot(struct planner *planner, const struct slot *slot,
				 const struct slot *other)
{
	if (!slot->have)
		return (struct verdict){
			.action = ACTION_BLOCKED,
			.code = CODE_TWICE,
			.reason = arena_printf(planner->arena,
					       "set \"%s\" attaches it to the same LAN: %s on %s",
					       other->set->name, other->name, slot->parent->name),
			.hint = "remove one of the two from the files"};
	if (slot > other)
		warning_add(planner,
			    "%s has two links on the LAN of %s, %s of set \"%s\" and %s of set "
			    "\"%s\": remove one of the two from the files",
			    slot->ns->name, slot->parent->name, other->have->name, other->set->name,
			    slot->have->name, slot->set->name);
	return (struct verdict){.action = ACTION_CREATE};
}

/* What is live goes before what is not, and then the first of the input. */
static bool goes_before(const struct slot *slot, const struct slot *other)
{
	return slot->have ? other->have != NULL : other->have || other < slot;
}

static const struct slot *other_find(const struct planner *planner, const struct slot *slot)
{
	const struct tenants *tenants = slot->tenants;
	const size_t count = tenants ? tenants->count : planner->n_slots - planner->n_attachments;
	for (size_t i = 0; i < count; i++) {
		const struct slot *other =
			tenants ? tenants->slots[i] : &planner->slots[planner->n_attachments + i];
		if (other != slot && goes_before(slot, other) && competes(slot, other))
			return other;
	}
	return NULL;
}

struct verdict check_twice(struct planner *planner, const struct slot *slot)
{
	const struct slot *other = other_find(planner, slot);
	return other ? other_slot(planner, slot, other) : other_set(planner, slot);
}
