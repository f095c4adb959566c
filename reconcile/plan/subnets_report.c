/* Warns about subnets that cannot work as they are: two that overlap in one container, on two
 * parents, and a gateway that is the parent's own address. */
#include "reconcile/plan/conflict.h"
#include "schema/driver.h"

#include <stdlib.h>
#include <string.h>

/* A subnet in which an attachment has its address. */
struct used_subnet {
	const struct planned_attachment *planned;
	const struct prefix *prefix;
};

static int used_compare(const void *a, const void *b)
{
	const struct used_subnet *left = a, *right = b;
	int order = ip_compare(&left->prefix->ip, &right->prefix->ip);
	if (!order)
		order = left->prefix->len - right->prefix->len;
	return order ? order : (left->planned > right->planned) - (left->planned < right->planned);
}

static const struct prefix *prefix_used(const struct assigned *assigned,
					const struct planned_attachment *planned, size_t slot)
{
	const struct ip *ip = &assigned->addresses->assigned[planned->number].ips[slot].ip;
	const struct subnet *subnet = ip->family ? network_subnet_of(planned->network, ip) : NULL;
	return subnet ? &subnet->prefix : NULL;
}

static struct used_subnet *subnets_list(const struct assigned *assigned,
					const struct netns_group *netns_group, size_t *ret_count)
{
	struct used_subnet *list = NULL;
	*ret_count = 0;
	for (size_t i = 0; i < netns_group->count; i++)
		for (size_t slot = 0; slot < netns_group->planned_all[i]->n_requests; slot++) {
			const struct planned_attachment *planned = netns_group->planned_all[i];
			const struct prefix *prefix = prefix_used(assigned, planned, slot);
			if (prefix)
				*array_push(assigned->input->scratch, list, *ret_count) =
					(struct used_subnet){planned, prefix};
		}
	return list;
}

static const char *network_label(const struct plan_input *input,
				 const struct planned_attachment *planned,
				 const struct planned_attachment *other)
{
	return planned->set == other->set
		       ? planned->network->name
		       : arena_printf(input->arena, "%s of set \"%s\"", planned->network->name,
				      planned->set->name);
}

static void twice_warn(const struct plan_input *input, const struct used_subnet *a,
		       const struct used_subnet *b)
{
	const struct used_subnet *first = a->planned < b->planned ? a : b;
	const struct used_subnet *later = first == a ? b : a;
	char text[PREFIX_TEXT_SIZE], other[PREFIX_TEXT_SIZE];
	warning_add(input, WARNING_SUBNET_TWICE, first->planned->container->name,
		    network_label(input, first->planned, later->planned),
		    prefix_format(first->prefix, text),
		    network_label(input, later->planned, first->planned),
		    prefix_format(later->prefix, other));
}

/* Of two prefixes that overlap one holds the other, so in the order of their addresses an overlap
 * is always with the last one that is not itself inside another. */
static void group_report(const struct assigned *assigned, const struct netns_group *netns_group)
{
	size_t count;
	struct used_subnet *list = subnets_list(assigned, netns_group, &count);
	const struct used_subnet *outer = NULL;
	if (count)
		qsort(list, count, sizeof(*list), used_compare);
	for (size_t i = 0; i < count; i++) {
		if (!outer || !prefix_overlaps(outer->prefix, list[i].prefix))
			outer = &list[i];
		else if (outer->planned->parent != list[i].planned->parent)
			twice_warn(assigned->input, outer, &list[i]);
	}
}

/* A link in mode vepa reaches its parent through a switch that sends back what it gets. */
static bool reaches_parent(const struct network *network)
{
	return network->internal || network->mode == MODE_VEPA || link_mode_routes(network->mode);
}

static void gateways_report(const struct assigned *assigned,
			    const struct resolved_network *resolved)
{
	const struct network *network = resolved->network;
	const struct parent *parent = resolved->parent;
	char text[IP_TEXT_SIZE];
	for (size_t i = 0; i < network->n_subnets && !reaches_parent(network); i++) {
		const struct ip *gateway = &network->subnets[i].gateway;
		const struct unmanaged *holder =
			gateway->family ? address_set_holder(assigned->unmanaged->addresses,
							     parent->number, gateway)
					: NULL;
		if (holder && holder->link == parent->link)
			warning_add(assigned->input, WARNING_GATEWAY_OWN, network->name,
				    ip_format(gateway, text), parent->link->name);
	}
}

void subnets_report(const struct assigned *assigned)
{
	const struct netns_groups *groups = &assigned->attachments->groups;
	const struct parents *parents = assigned->matched->parents;
	for (size_t i = 0; i < groups->count; i++)
		group_report(assigned, &groups->all[i]);
	for (size_t i = 0; i < parents->n_networks; i++)
		gateways_report(assigned, &parents->networks[i]);
}
