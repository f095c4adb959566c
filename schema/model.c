#include "schema/model.h"

#include <string.h>

struct subnet *network_subnet_of(const struct network *network, const struct ip *ip)
{
	for (size_t i = 0; i < network->n_subnets; i++)
		if (prefix_contains(&network->subnets[i].prefix, ip))
			return &network->subnets[i];
	return NULL;
}

const struct ip *network_gateway(const struct network *network, const struct ip *ip)
{
	const struct subnet *own = network_subnet_of(network, ip);
	if (network->internal || !ip->family)
		return NULL;
	if (own && own->gateway.family)
		return &own->gateway;
	for (size_t i = 0; network->subnets && i < network->n_subnets; i++)
		if (network->subnets[i].gateway.family == ip->family)
			return &network->subnets[i].gateway;
	return NULL;
}

bool subnet_has_range(const struct subnet *subnet)
{
	return subnet->ip_range.count || subnet->n_host_ranges;
}

struct ip_ranges subnet_pool(const struct subnet *subnet, const struct ip_ranges *ranges,
			     struct arena *arena)
{
	struct ip_range whole = ip_range_of(&subnet->prefix);
	const struct ip_ranges all = {&whole, 1};
	return ip_ranges_without(ranges->count ? ranges : &all, &subnet->exclude, arena);
}

bool network_has_family(const struct network *network, unsigned family)
{
	for (size_t i = 0; i < network->n_subnets; i++)
		if (network->subnets[i].prefix.ip.family == family)
			return true;
	return false;
}

/* IP6_RT_PRIO_USER. */
#define IPV6_METRIC_DEFAULT 1024

uint32_t route_metric(const struct prefix *to, uint32_t metric)
{
	return metric || to->ip.family == AF_INET ? metric : IPV6_METRIC_DEFAULT;
}

enum route_scope route_scope_default(const struct prefix *to, const struct ip *via)
{
	return via->family || to->ip.family != AF_INET ? SCOPE_GLOBAL : SCOPE_LINK;
}

bool routes_same(const struct route *one, const struct route *other)
{
	return one->table == other->table && prefix_equal(&one->to, &other->to) &&
	       route_metric(&one->to, one->options.metric) ==
		       route_metric(&other->to, other->options.metric);
}

bool attachment_has_route(const struct attachment *attachment, const struct route *route)
{
	for (size_t i = 0; i < attachment->n_routes; i++)
		if (routes_same(&attachment->routes[i], route))
			return true;
	return false;
}

bool table_is_policy(uint32_t table)
{
	return table == POLICY_TABLE || table == POLICY_TABLE_ANSWERS;
}

bool table_is_source(uint32_t table)
{
	return table >= SOURCE_TABLE_FIRST && table <= SOURCE_TABLE_LAST;
}

struct link_settings attachment_settings(const struct attachment *attachment)
{
	if (!attachment)
		return (struct link_settings){0};
	struct link_settings settings = attachment->settings;
	const struct link_settings *of_network = &attachment->network->settings;
	if (!settings.has_promisc)
		settings.promisc = of_network->promisc;
	if (!settings.has_allmulticast)
		settings.allmulticast = of_network->allmulticast;
	if (settings.has_txqueuelen)
		return settings;
	settings.has_txqueuelen = of_network->has_txqueuelen;
	settings.txqueuelen = of_network->txqueuelen;
	return settings;
}

int network_bclim(const struct network *network)
{
	return network->has_bclim ? network->bclim : BCLIM_DEFAULT;
}

const char *attachment_own_name(const struct attachment *attachment)
{
	return strcmp(attachment->name, attachment->network->name) == 0 ? NULL : attachment->name;
}

struct attachment *container_attachment(const struct container *container,
					const struct network *network)
{
	for (size_t i = 0; i < container->n_attachments; i++)
		if (container->attachments[i].network == network)
			return &container->attachments[i];
	return NULL;
}

bool desired_any_container(const struct desired *desired,
			   bool (*has)(const struct container *container))
{
	for (size_t s = 0; s < desired->n_sets; s++)
		for (size_t i = 0; i < desired->sets[s].n_containers; i++)
			if (has(&desired->sets[s].containers[i]))
				return true;
	return false;
}

bool desired_any_network(const struct desired *desired, bool (*has)(const struct network *network))
{
	for (size_t s = 0; s < desired->n_sets; s++)
		for (size_t i = 0; i < desired->sets[s].n_networks; i++)
			if (has(&desired->sets[s].networks[i]))
				return true;
	return false;
}

void desired_free(struct desired *desired)
{
	if (desired)
		arena_free(desired->arena);
}

bool attachment_accepts_ra(const struct attachment *attachment)
{
	return attachment->has_accept_ra ? attachment->accept_ra : attachment->network->accept_ra;
}

bool attachment_has_address(const struct attachment *attachment, const struct ip *ip)
{
	for (size_t i = 0; i < attachment->n_addresses; i++)
		if (attachment->addresses[i].fixed &&
		    ip_equal(&attachment->addresses[i].within.ip, ip))
			return true;
	return ip_equal(&attachment->ipv4, ip) || ip_equal(&attachment->ipv6, ip);
}

const struct ip *attachment_address(const struct attachment *attachment, uint8_t family)
{
	for (size_t i = 0; i < attachment->n_addresses; i++) {
		const struct prefix *within = &attachment->addresses[i].within;
		if (attachment->addresses[i].fixed &&
		    (family == AF_UNSPEC || within->ip.family == family))
			return &within->ip;
	}
	return family == AF_INET6 || (family == AF_UNSPEC && !attachment->ipv4.family)
		       ? &attachment->ipv6
		       : &attachment->ipv4;
}
