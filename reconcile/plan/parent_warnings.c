#include "reconcile/plan/parent_warnings.h"

#include <string.h>

/* As in linux/if.h, which conflicts with some C libraries' net/if.h. IFF_RUNNING is set a moment
 * later. */
#ifndef IFF_LOWER_UP
#define IFF_LOWER_UP 0x10000
#endif

/* A parent that is down is no reason to change live links; they only carry no traffic. */
static void carrier_warn(const struct plan_input *input, const struct parent *parent)
{
	const struct live_link *base = parent->base;
	if (parent->base_request && parent->base_request->up)
		return;
	if (base && !(base->flags & IFF_UP))
		warning_add(input, WARNING_PARENT_DOWN, base->name);
	else if (base && !(base->flags & IFF_LOWER_UP))
		warning_add(input, WARNING_PARENT_NO_CARRIER, base->name);
}

/* A live VLAN link of that name is used, even if the name reads as another VLAN. */
static void name_warn(const struct plan_input *input, const struct network *network,
		      const struct live_link *link)
{
	const struct short_form *short_form = &network->short_form;
	if (!link || !short_form->parent || network->vlan || link->kind != KIND_VLAN ||
	    link->vlan == short_form->vlan || !live_link_is_called(link, network->parent))
		return;
	warning_add(input, WARNING_VLAN_NAME, network->parent,
		    arena_printf(input->scratch, "%u", link->vlan), short_form->parent,
		    arena_printf(input->scratch, "%u", short_form->vlan));
}

/* How a bridge, or a port of one, passes a VLAN. */
static const struct bridge_vlans *member_of(const struct live_link *link, unsigned vlan)
{
	for (size_t i = 0; i < link->n_bridge_vlans; i++) {
		const struct bridge_vlans *vlans = &link->bridge_vlans[i];
		if (vlan ? vlans->first <= vlan && vlan <= vlans->last : vlans->pvid)
			return vlans;
	}
	return NULL;
}

/* Whether it has ports, none of which is a member. */
static bool no_port_passes(const struct live_ns *host, const struct live_link *bridge,
			   unsigned vlan)
{
	bool any = false;
	for (size_t i = 0; i < host->n_links; i++) {
		const struct live_link *port = &host->links[i];
		if (port->master != bridge->ifindex)
			continue;
		any = true;
		if (member_of(port, vlan))
			return false;
	}
	return any;
}

/* br_allowed_ingress and br_pass_frame_up: the bridge drops what it is no member of, and takes the
 * tag off a VLAN that is untagged on itself, which a VLAN link then does not see. */
static void bridge_warn(const struct plan_input *input, const struct live_link *bridge,
			unsigned vlan)
{
	const struct bridge_vlans *member = member_of(bridge, vlan);
	const char *id = arena_printf(input->scratch, "%u", vlan);
	if (!vlan && !member)
		warning_add(input, WARNING_BRIDGE_PVID, bridge->name);
	else if (vlan && (!member || member->untagged))
		warning_add(input, WARNING_BRIDGE_VLAN, bridge->name, id);
	else if (no_port_passes(input->live->namespaces[0], bridge, vlan ? vlan : member->first))
		warning_add(input, WARNING_BRIDGE_PORTS, bridge->name,
			    vlan ? id : arena_printf(input->scratch, "%u", member->first));
}

/* The bridge that the parent is, or that its VLAN is on. */
static void filter_warn(const struct plan_input *input, const struct parent *parent)
{
	const struct live_link *base = parent->base, *link = parent->link;
	const struct live_link *below =
		link && link == base ? live_vlan_base(input->live->namespaces[0], link) : NULL;
	const unsigned vlan = below ? link->vlan : parent->vlan;
	if (below)
		base = below;
	if (base && base->vlan_filtering)
		bridge_warn(input, base, vlan);
}

static void parent_warn(const struct plan_input *input, const struct network *network,
			const struct parent *parent)
{
	carrier_warn(input, parent);
	name_warn(input, network, parent->link);
	filter_warn(input, parent);
}

void parents_warn(const struct plan_input *input, const struct parents *parents)
{
	for (size_t i = 0; i < parents->n_networks; i++) {
		const struct resolved_network *resolved = &parents->networks[i];
		if (resolved->network == resolved->parent->first)
			parent_warn(input, resolved->network, resolved->parent);
	}
}
