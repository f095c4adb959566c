#include "convert/model_to_yaml.h"

#include "schema/driver.h"
#include "schema/words.h"

#include <stdlib.h>
#include <string.h>

static void put_ip(struct tree *map, const char *key, const struct ip *ip)
{
	char text[IP_TEXT_SIZE];
	if (ip->family)
		tree_text(map, key, ip_format(ip, text));
}

static void put_prefix(struct tree *map, const char *key, const struct prefix *prefix)
{
	char text[PREFIX_TEXT_SIZE];
	if (prefix->ip.family)
		tree_text(map, key, prefix_format(prefix, text));
}

/* One range, or a list of several. `alone`: an address needs no prefix length. */
static void put_ranges(struct tree *map, const char *key, const struct ip_ranges *ranges,
		       bool alone)
{
	char text[IP_RANGE_TEXT_SIZE];
	struct tree *list = ranges->count > 1 ? tree_list(map, key) : map;
	for (size_t i = 0; i < ranges->count; i++) {
		const struct ip_range *range = &ranges->items[i];
		if (alone && ip_range_is_address(range))
			ip_format(&range->first, text);
		else
			ip_range_format(range, text);
		tree_text(list, list == map ? key : NULL, text);
	}
}

static void put_text(struct tree *map, const char *key, const char *text)
{
	if (text)
		tree_text(map, key, text);
}

static void put_subnet(struct tree *map, const struct subnet *subnet)
{
	put_prefix(map, "subnet", &subnet->prefix);
	put_ip(map, "gateway", &subnet->gateway);
	if (subnet->on_link)
		tree_bool(map, "on_link", true);
	put_ranges(map, "ip_range", &subnet->ip_range, false);
	put_ranges(map, "exclude", &subnet->exclude, true);
	struct tree *aux = subnet->n_aux ? tree_map(map, "aux_addresses") : NULL;
	for (size_t i = 0; i < subnet->n_aux; i++)
		put_ip(aux, subnet->aux[i].name, &subnet->aux[i].ip);
}

static void put_subnets(struct tree *map, const struct network *network)
{
	if (network->n_subnets == 1) {
		put_subnet(map, network->subnets);
		return;
	}
	struct tree *list = network->n_subnets ? tree_list(map, "subnets") : NULL;
	for (size_t i = 0; i < network->n_subnets; i++)
		put_subnet(tree_map(list, NULL), &network->subnets[i]);
}

static void put_host(struct tree *map, const struct host_access *host)
{
	if (!host->enabled)
		return;
	if (!host->ipv4.family && !host->ipv6.family && !host->interface_name) {
		tree_bool(map, "host", true);
		return;
	}
	struct tree *body = tree_map(map, "host");
	put_ip(body, "ipv4_address", &host->ipv4);
	put_ip(body, "ipv6_address", &host->ipv6);
	put_text(body, "interface_name", host->interface_name);
}

static void put_number(struct tree *map, const char *key, uint32_t number)
{
	if (number)
		tree_number(map, key, number);
}

static void put_route(struct tree *map, const struct route *route)
{
	const struct route_options *options = &route->options;
	put_prefix(map, "to", &route->to);
	put_ip(map, "via", &route->via);
	if (options->type)
		tree_text(map, "type", route_type_name(options->type));
	if (options->on_link)
		tree_bool(map, "on_link", true);
	put_number(map, "table", route->table);
	put_number(map, "metric", options->metric);
	put_number(map, "mtu", options->mtu);
	put_number(map, "advmss", options->advmss);
	if (options->scope)
		tree_text(map, "scope", route_scope_name(options->scope));
	put_ip(map, "source", &options->source);
}

static void put_routes(struct tree *map, const struct route *routes, size_t count)
{
	struct tree *list = count ? tree_list(map, "routes") : NULL;
	for (size_t i = 0; i < count; i++)
		put_route(tree_map(list, NULL), &routes[i]);
}

static void put_rules(struct tree *map, const struct routing_rule *rules, size_t count)
{
	struct tree *list = count ? tree_list(map, "rules") : NULL;
	for (size_t i = 0; i < count; i++) {
		struct tree *rule = tree_map(list, NULL);
		put_prefix(rule, "from", &rules[i].from);
		put_prefix(rule, "to", &rules[i].to);
		put_number(rule, "table", rules[i].table);
		put_number(rule, "priority", rules[i].priority);
	}
}

static void put_settings(struct tree *map, const struct link_settings *settings)
{
	if (settings->has_promisc)
		tree_bool(map, "promisc", settings->promisc);
	if (settings->has_allmulticast)
		tree_bool(map, "allmulticast", settings->allmulticast);
	if (settings->has_txqueuelen)
		tree_number(map, "txqueuelen", settings->txqueuelen);
}

static void put_altnames(struct tree *map, const struct attachment *attachment)
{
	struct tree *list = attachment->has_altnames ? tree_list(map, "altnames") : NULL;
	for (size_t i = 0; i < attachment->n_altnames; i++)
		tree_text(list, NULL, attachment->altnames[i]);
}

void serialise_network(struct tree *map, const struct network *network)
{
	if (network->driver != DRIVER_DEFAULT)
		tree_text(map, "driver", driver_name(network->driver));
	put_text(map, "parent", network->parent);
	if (network->vlan)
		tree_number(map, "vlan", network->vlan);
	if (network->vlan && network->vlan_protocol != VLAN_8021Q)
		tree_text(map, "vlan_protocol", vlan_protocol_name(network->vlan_protocol));
	if (network->mode != driver_info(network->driver)->default_mode)
		tree_text(map, "mode", link_mode_name(network->mode));
	if (network->manage_parent)
		tree_bool(map, "manage_parent", true);
	if (network->internal)
		tree_bool(map, "internal", true);
	if (network->dhcp)
		tree_bool(map, "dhcp", true);
	if (network->accept_ra)
		tree_bool(map, "accept_ra", true);
	put_subnets(map, network);
	if (network->mtu)
		tree_number(map, "mtu", network->mtu);
	if (network->has_bcqueuelen)
		tree_number(map, "bcqueuelen", network->bcqueuelen);
	if (network->has_bclim)
		tree_number(map, "bclim", network->bclim);
	if (network->ipvlan_flag != IPVLAN_BRIDGE)
		tree_text(map, "ipvlan_flag", ipvlan_flag_name(network->ipvlan_flag));
	put_settings(map, &network->settings);
	put_host(map, &network->host);
	put_routes(map, network->routes, network->n_routes);
}

void serialise_source(struct tree *map, const struct container *container)
{
	if (container->source_kind == SOURCE_PID)
		tree_number(map, "pid", strtoll(container->source, NULL, 10));
	else if (container->source_kind != SOURCE_NETNS ||
		 strcmp(container->source, container->name) != 0)
		tree_text(map, source_kind_name(container->source_kind), container->source);
	if (container->policy_routing)
		tree_bool(map, "policy_routing", true);
}

static void put_addresses(struct tree *map, const struct attachment *attachment)
{
	char text[IP_TEXT_SIZE];
	if (!attachment->has_addresses) {
		put_ip(map, "ipv4_address", &attachment->ipv4);
		put_ip(map, "ipv6_address", &attachment->ipv6);
		return;
	}
	struct tree *list = tree_list(map, "addresses");
	for (size_t i = 0; i < attachment->n_addresses; i++)
		tree_text(list, NULL, ip_format(&attachment->addresses[i].within.ip, text));
}

void serialise_attachment(struct tree *map, const struct attachment *attachment)
{
	char mac[MAC_TEXT_SIZE];
	if (attachment->has_dhcp)
		tree_bool(map, "dhcp", attachment->dhcp);
	put_text(map, "resolv_conf", attachment->resolv_conf);
	if (attachment->has_accept_ra)
		tree_bool(map, "accept_ra", attachment->accept_ra);
	put_addresses(map, attachment);
	if (attachment->mac.set)
		tree_text(map, "mac_address", mac_format(&attachment->mac, mac));
	put_text(map, "interface_name", attachment->interface_name);
	put_altnames(map, attachment);
	put_settings(map, &attachment->settings);
	if (attachment->gw_priority)
		tree_number(map, "gw_priority", attachment->gw_priority);
	put_routes(map, attachment->routes, attachment->n_routes);
	put_rules(map, attachment->rules, attachment->n_rules);
	struct tree *sysctls = attachment->n_sysctls ? tree_map(map, "sysctls") : NULL;
	for (size_t i = 0; i < attachment->n_sysctls; i++)
		tree_text(sysctls, attachment->sysctls[i].key, attachment->sysctls[i].value);
}
