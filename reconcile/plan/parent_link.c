#include "reconcile/plan/parent_link.h"

#include <string.h>

/* The VLAN link on the base, or NULL. */
static const struct live_link *vlan_live(const struct live_ns *host, const struct live_link *base,
					 uint16_t vlan, enum vlan_protocol protocol)
{
	for (size_t i = 0; i < host->n_links; i++) {
		const struct live_link *link = &host->links[i];
		if (link->kind == KIND_VLAN && live_link_on(link, base->ifindex) &&
		    link->vlan == vlan && link->vlan_protocol == protocol)
			return link;
	}
	return NULL;
}

static struct parent_link vlan_of(const struct live_ns *host, const struct live_link *base,
				  const char *base_name, uint16_t vlan, enum vlan_protocol protocol)
{
	return (struct parent_link){.base_name = base_name,
				    .base = base,
				    .link = base ? vlan_live(host, base, vlan, protocol) : NULL,
				    .vlan = vlan,
				    .vlan_protocol = protocol};
}

/* Whether the short form of the file means this very VLAN. */
static bool is_short_form(const struct live_ns *host, const struct network *network,
			  const struct live_link *vlan, const struct live_link *base)
{
	return network->short_form.parent && vlan->vlan == network->short_form.vlan &&
	       vlan->vlan_protocol == network->vlan_protocol &&
	       live_link_by_name(host, network->short_form.parent) == base;
}

/* A VLAN link of mvapply's keeps its owner tag, also where its base was renamed. All other links
 * are used as they are. */
static struct parent_link exact(const struct live_ns *host, const struct network *network,
				const struct live_link *link)
{
	const struct live_link *base = live_vlan_base(host, link);
	const bool ours = link->tag.role == ROLE_VLAN;
	if (!base || !(ours || is_short_form(host, network, link, base)))
		return (struct parent_link){
			.base_name = network->parent, .base = link, .link = link};
	struct parent_link vlan =
		vlan_of(host, base, base->name, link->vlan,
			network->short_form.parent ? network->vlan_protocol : link->vlan_protocol);
	vlan.named = link;
	return vlan;
}

struct parent_link parent_link_find(const struct live_ns *host, const struct network *network)
{
	const struct live_link *named = live_link_by_name(host, network->parent);
	const struct short_form *short_form = &network->short_form;
	if (network->vlan)
		return vlan_of(host, named, network->parent, network->vlan, network->vlan_protocol);
	if (named)
		return exact(host, network, named);
	if (short_form->parent)
		return vlan_of(host, live_link_by_name(host, short_form->parent),
			       short_form->parent, short_form->vlan, network->vlan_protocol);
	return (struct parent_link){.base_name = network->parent};
}

const char *parent_link_name(const struct parent_link *parent, struct arena *arena)
{
	if (parent->link)
		return parent->link->name;
	if (parent->named)
		return parent->named->name;
	const char *base = parent->base ? parent->base->name : parent->base_name;
	return parent->vlan ? arena_printf(arena, "%s.%u", base, parent->vlan) : base;
}
