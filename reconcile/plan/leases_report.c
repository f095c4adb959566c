/* Warns about leases whose routes or subnet are a part of another network's subnet. As in
 * systemd-networkd and NetworkManager such a route is used: the kernel prefers the longest prefix.
 */
#include "reconcile/plan/conflict.h"

#include <string.h>
#include <sys/socket.h>

static bool is_part(const struct prefix *of, const struct prefix *prefix)
{
	return of->ip.family == prefix->ip.family && of->len < prefix->len &&
	       prefix_contains(of, &prefix->ip);
}

/* The subnet of the attachment that the prefix is a part of; len 0: none. */
static struct prefix subnet_cut(const struct assigned *assigned,
				const struct planned_attachment *planned,
				const struct prefix *prefix)
{
	const struct assigned_address *address = &assigned->addresses->assigned[planned->number];
	const struct prefix *lease = &assigned->routes->assigned[planned->number].dhcp.lease;
	for (size_t i = 0; i < address->count; i++) {
		const struct ip *ip = &address->ips[i].ip;
		const struct subnet *subnet =
			ip->family ? network_subnet_of(planned->network, ip) : NULL;
		if (subnet && is_part(&subnet->prefix, prefix))
			return subnet->prefix;
	}
	const struct prefix leased =
		lease->ip.family ? prefix_subnet(lease) : (struct prefix){.len = 0};
	return leased.len && is_part(&leased, prefix) ? leased : (struct prefix){.len = 0};
}

/* Whether the prefix is a part of another attachment's subnet; it warns. */
static bool prefix_report(const struct assigned *assigned, const struct planned_attachment *planned,
			  const struct prefix *prefix)
{
	const struct netns_group *group = planned->netns_group;
	char part[PREFIX_TEXT_SIZE], whole[PREFIX_TEXT_SIZE];
	for (size_t i = 0; i < group->count; i++) {
		const struct planned_attachment *other = group->planned_all[i];
		if (other == planned)
			continue;
		const struct prefix cut = subnet_cut(assigned, other, prefix);
		if (!cut.len)
			continue;
		warning_add(assigned->input, WARNING_LEASE_ROUTE,
			    planned_label(assigned->input, planned), prefix_format(prefix, part),
			    other->network->name, prefix_format(&cut, whole),
			    planned->network->name);
		return true;
	}
	return false;
}

/* One warning for each lease. */
static void lease_report(const struct assigned *assigned, const struct planned_attachment *planned)
{
	const struct assigned_routes *routes = &assigned->routes->assigned[planned->number];
	if (!routes->lease || !planned->netns_group)
		return;
	const struct prefix subnet = prefix_subnet(&routes->lease->addr);
	if (prefix_report(assigned, planned, &subnet) || routes->dhcp.internal)
		return;
	for (size_t i = 0; i < routes->lease->n_routes; i++)
		if (routes->lease->routes[i].to.len &&
		    prefix_report(assigned, planned, &routes->lease->routes[i].to))
			return;
}

void leases_report(const struct assigned *assigned)
{
	for (size_t i = 0; i < assigned->attachments->n_containers; i++)
		lease_report(assigned, &assigned->attachments->planned[i]);
}
