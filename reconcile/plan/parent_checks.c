/* Whether the parent of a network can have a new link. */
#include "reconcile/plan/parents.h"

#include "kernel/link_kind.h"
#include "reconcile/plan/link_name.h"
#include "reconcile/plan/parent_type.h"

#include <string.h>

/* eth0.5000 and eth0.010, which are no short forms of VLANs. */
static bool seems_vlan(const struct network *network)
{
	const char *dot = strrchr(network->parent, '.');
	return dot && dot[1] && !dot[1 + strspn(dot + 1, "0123456789")] && !network->vlan &&
	       !network->short_form.parent;
}

static struct check_result check_found(const struct plan_input *input,
				       const struct resolved_network *resolved)
{
	const struct network *network = resolved->network;
	const struct short_form *short_form = &network->short_form;
	const char *none =
		arena_printf(input->arena, "the host has no link \"%s\"", network->parent);
	if (resolved->parent->base || resolved->parent->make)
		return CHECK_FINE;
	if (short_form->parent)
		none = arena_printf(input->arena, "%s, and no \"%s\" for its VLAN %u", none,
				    short_form->parent, short_form->vlan);
	return check_blocked(
		CODE_PARENT_ABSENT, none,
		seems_vlan(network)
			? "NAME.VID is short for a VLAN with an id from 1 to 4094, without "
			  "leading zeros; `ip link` lists the host's links"
			: "`ip link` lists the host's links: use one of them as the parent, "
			  "or create this one");
}

static struct check_result check_type(const struct plan_input *input,
				      const struct resolved_network *resolved)
{
	const struct parent *parent = resolved->parent;
	const struct live_link *link = parent->link ? parent->link : parent->base;
	const char *type = link ? parent_type_unfit(link, input->arena) : NULL;
	if (!type)
		return CHECK_FINE;
	return check_blocked(
		CODE_PARENT_TYPE,
		arena_printf(input->arena, "parent %s is not an Ethernet link: its type is %s",
			     link->name, type),
		"macvlan, ipvlan and VLAN links are on Ethernet links only: use one as the "
		"parent");
}

/* The kernel puts a macvlan of a macvlan on the lowest device (macvlan_common_newlink, likewise
 * ipvlan_link_new), so its parent would differ from the file. */
static struct check_result check_kind(const struct plan_input *input,
				      const struct resolved_network *resolved)
{
	const struct live_link *link = resolved->parent->link;
	if (!link || !link_type(link->kind)->has_driver)
		return CHECK_FINE;
	return check_blocked(CODE_PARENT_STACKED,
			     arena_printf(input->arena, "parent %s is itself a %s link", link->name,
					  link->kind_name),
			     "use the parent of that link");
}

/* A port of a bridge, bond or team passes its frames to its master (netdev_rx_handler_register
 * gives EBUSY); a VRF has no receive handler. */
static struct check_result check_free(const struct plan_input *input,
				      const struct resolved_network *resolved)
{
	const struct live_link *link = resolved->parent->link;
	if (!link || !link->master)
		return CHECK_FINE;
	const struct live_link *master =
		live_link_by_index(input->live->namespaces[0], link->master);
	if (!master || strcmp(master->kind_name, "vrf") == 0)
		return CHECK_FINE;
	return check_blocked(CODE_PARENT_PORT,
			     arena_printf(input->arena, "parent %s is a port of %s %s", link->name,
					  master->kind_name, master->name),
			     arena_printf(input->arena,
					  "use %s as the parent, or `ip link set %s "
					  "nomaster`",
					  master->name, link->name));
}

static bool link_comes_up(const struct live_link *link, const struct requested_link *request)
{
	return request ? request->up : link->flags & IFF_UP;
}

struct check_result parent_check_up(const struct plan_input *input, const struct parent *parent)
{
	const struct live_link *base = parent->base, *link = parent->link, *down = NULL;
	if (base && !link_comes_up(base, parent->base_request))
		down = base;
	else if (link && !parent->make && !link_comes_up(link, parent->link_request))
		down = link;
	if (!down)
		return CHECK_FINE;
	return check_blocked(
		CODE_PARENT_DOWN, arena_printf(input->arena, "parent %s is down", down->name),
		arena_printf(input->arena,
			     "`ip link set %s up`, or let mvapply do it with `manage_parent: "
			     "true` on the network",
			     down->name));
}

/* vlan_dev_open gives ENETDOWN; an existing VLAN link can wait. */
static struct check_result check_up(const struct plan_input *input,
				    const struct resolved_network *resolved)
{
	return resolved->parent->link ? CHECK_FINE : parent_check_up(input, resolved->parent);
}

/* Precedes check_up: for such a network `manage_parent` does not set the parent up. */
static struct check_result check_max_mtu(const struct plan_input *input,
					 const struct resolved_network *resolved)
{
	const struct parent *parent = resolved->parent;
	const uint32_t mtu = resolved->network->mtu;
	const uint32_t max = parent->base ? parent->base->max_mtu : 0;
	if (!max || mtu <= max || mtu <= parent->mtu)
		return CHECK_FINE;
	return check_blocked(CODE_PARENT_MTU,
			     arena_printf(input->arena,
					  "mtu %u is larger than %u, the largest that %s supports",
					  mtu, max, parent->base->name),
			     "set a lower mtu");
}

static struct check_result check_mtu(const struct plan_input *input,
				     const struct resolved_network *resolved)
{
	const struct parent *parent = resolved->parent;
	const uint32_t mtu = resolved->network->mtu;
	const char *base = parent->base ? parent->base->name : parent->name;
	if (!resolved->network->parent || !parent->mtu)
		return CHECK_FINE;
	if (mtu > parent->mtu)
		return check_blocked(
			CODE_PARENT_MTU,
			arena_printf(input->arena, "mtu %u is larger than the mtu %u of parent %s",
				     mtu, parent->mtu, parent->name),
			arena_printf(input->arena,
				     "`ip link set %s mtu %u`, or let mvapply do it with "
				     "`manage_parent: true` on the network; or set a lower mtu",
				     base, mtu));
	if (parent->mtu < IPV6_MTU_MIN && network_has_family(resolved->network, AF_INET6))
		return check_blocked(
			CODE_PARENT_MTU,
			arena_printf(input->arena,
				     "the mtu %u of parent %s is too small for IPv6, which "
				     "requires %u",
				     parent->mtu, parent->name, IPV6_MTU_MIN),
			arena_printf(input->arena,
				     "`ip link set %s mtu %u`, or remove the network's IPv6 "
				     "subnet",
				     base, IPV6_MTU_MIN));
	return CHECK_FINE;
}

/* `vlan_protocol` beside the name of a link that is there. */
static struct check_result check_protocol(const struct plan_input *input,
					  const struct resolved_network *resolved)
{
	const struct network *network = resolved->network;
	const struct live_link *link = resolved->parent->link;
	if (!link || !network->has_vlan_protocol || network->vlan ||
	    (link->kind == KIND_VLAN && link->vlan_protocol == network->vlan_protocol))
		return CHECK_FINE;
	return check_blocked(
		CODE_VLAN_UNMANAGED,
		arena_printf(input->arena, "%s exists, but is not a VLAN of %s", link->name,
			     vlan_protocol_name(network->vlan_protocol)),
		arena_printf(input->arena,
			     "remove `vlan_protocol` to use %s as it is, or write `parent: "
			     "%s` and `vlan: %u`",
			     link->name, network->short_form.parent, network->short_form.vlan));
}

/* What the networks of a parent have to agree on. */
static const char *sharing_text(struct arena *arena, const struct network *network)
{
	const char *text = arena_printf(arena, "%s mode %s", driver_name(network->driver),
					link_mode_name(network->mode));
	if (network->ipvlan_flag != IPVLAN_BRIDGE)
		text = arena_printf(arena, "%s %s", text, ipvlan_flag_name(network->ipvlan_flag));
	return network->has_bclim ? arena_printf(arena, "%s bclim %d", text, network->bclim) : text;
}

/* The schema compares networks that name their parent alike. */
static struct check_result check_sharing(const struct plan_input *input,
					 const struct resolved_network *resolved)
{
	const struct network *network = resolved->network, *first = resolved->parent->first;
	const struct driver_info *driver = driver_info(network->driver);
	if (first == network || (driver->handler == driver_info(first->driver)->handler &&
				 network->mode != MODE_PASSTHRU && first->mode != MODE_PASSTHRU &&
				 (!driver->one_mode || network->mode == first->mode) &&
				 network->ipvlan_flag == first->ipvlan_flag &&
				 network_bclim(network) == network_bclim(first)))
		return CHECK_FINE;
	return check_blocked(
		CODE_PARENT_SHARED,
		arena_printf(input->arena, "cannot be %s on %s, where network %s is %s",
			     sharing_text(input->arena, network), resolved->parent->name,
			     first->name, sharing_text(input->arena, first)),
		"use the same driver, a mode that can share it, and the same `bclim` and "
		"`ipvlan_flag`; or another parent");
}

static struct check_result check_parent(const struct plan_input *input,
					const struct resolved_network *resolved)
{
	(void)input;
	return resolved->parent->check_result;
}

static struct check_result check_request(const struct plan_input *input,
					 const struct resolved_network *resolved)
{
	const struct parent *parent = resolved->parent;
	(void)input;
	if (!resolved->network->manage_parent)
		return CHECK_FINE;
	if (parent->base_request && parent->base_request->check_result.action != ACTION_CREATE)
		return parent->base_request->check_result;
	return parent->link_request ? parent->link_request->check_result : CHECK_FINE;
}

#define MAX_CHECKS 7

/* The conditions for a new link on a parent; the first unmet one is reported. Those of the parent's
 * state come last: `manage_parent` changes it, but only for a network that meets the others. */
static struct check_result (*const checks[][MAX_CHECKS])(const struct plan_input *,
							 const struct resolved_network *) = {
	{check_found, check_type, check_protocol, check_parent, check_kind, check_free,
	 check_sharing},
	{check_request, check_max_mtu, check_up, check_mtu},
};

void parents_check(const struct plan_input *input, struct resolved_network *networks, size_t count,
		   bool state)
{
	for (size_t i = 0; i < count; i++) {
		struct check_result *check_result = &networks[i].check_result;
		for (size_t k = 0;
		     k < MAX_CHECKS && checks[state][k] && check_result->action == ACTION_CREATE;
		     k++)
			*check_result = checks[state][k](input, &networks[i]);
	}
}
