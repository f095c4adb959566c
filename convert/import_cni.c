/* CNI's network configurations, of the reference plugins:
 * https://www.cni.dev/docs/spec/, https://www.cni.dev/plugins/current/ */
#include "convert/import.h"

#include "convert/docker_options.h"
#include "convert/json_read.h"
#include "convert/model_to_yaml.h"
#include "convert/yaml_tree_internal.h"
#include "schema/driver.h"

#include <string.h>

struct cni {
	struct arena *arena;
	struct tree *document, *networks;
	struct tree *containers; /* NULL: none yet */
	const char *name;        /* of the network at hand */
	struct tree *map;
	struct network network;
	struct attachment attachment; /* of ipam static, which is of one container */
	bool single;
};

static bool is_default(const char *destination)
{
	return destination &&
	       (strcmp(destination, "0.0.0.0/0") == 0 || strcmp(destination, "::/0") == 0);
}

static struct subnet *subnet_add(struct cni *cni, struct prefix prefix)
{
	struct subnet *subnet =
		array_push(cni->arena, cni->network.subnets, cni->network.n_subnets);
	prefix.ip = prefix_first(&prefix);
	subnet->prefix = subnet->ip_range = prefix;
	return subnet;
}

static bool within(const struct prefix *block, const struct ip *first, const struct ip *last)
{
	const struct ip end = prefix_last(block);
	return ip_compare(&block->ip, first) >= 0 && ip_compare(&end, last) <= 0;
}

/* The largest block that lies within first..last: of each length the one that holds the last
 * address, or else the one before it. */
static struct prefix block_within(const struct ip *first, const struct ip *last)
{
	for (uint8_t len = 1; len < ip_bits(first); len++) {
		struct prefix block = {.ip = *last, .len = len};
		block.ip = prefix_first(&block);
		if (within(&block, first, last))
			return block;
		block.ip = ip_previous(block.ip);
		block.ip = prefix_first(&block);
		if (within(&block, first, last))
			return block;
	}
	return (struct prefix){.ip = *first, .len = (uint8_t)ip_bits(first)};
}

/* host-local's rangeStart and rangeEnd need be no block of addresses. */
static void range_take(struct cni *cni, const json_t *range, struct subnet *subnet)
{
	struct ip first = prefix_first(&subnet->prefix), last = prefix_last(&subnet->prefix);
	char text[PREFIX_TEXT_SIZE], from[IP_TEXT_SIZE], to[IP_TEXT_SIZE];
	bool start = json_ip_at(range, "rangeStart", cni->map, &first);
	bool end = json_ip_at(range, "rangeEnd", cni->map, &last);
	if (!start && !end)
		return;
	subnet->ip_range = block_within(&first, &last);
	struct ip block_last = prefix_last(&subnet->ip_range);
	if (!ip_equal(&subnet->ip_range.ip, &first) || !ip_equal(&block_last, &last))
		tree_comment(
			cni->map,
			"the range was %s to %s; ip_range is a block, and %s is the largest in "
			"it",
			ip_format(&first, from), ip_format(&last, to),
			prefix_format(&subnet->ip_range, text));
}

/* False: there is no subnet that could be taken. */
static bool pool_take(struct cni *cni, const json_t *range)
{
	struct prefix prefix;
	if (!json_prefix_at(range, "subnet", cni->map, &prefix))
		return false;
	struct subnet *subnet = subnet_add(cni, prefix);
	range_take(cni, range, subnet);
	json_ip_at(range, "gateway", cni->map, &subnet->gateway);
	return true;
}

/* One of `ranges`. */
static void range_pool_take(struct cni *cni, const json_t *range)
{
	static const char *const known[] = {"subnet", "rangeStart", "rangeEnd", "gateway", NULL};
	if (pool_take(cni, range))
		json_leftovers(range, known, cni->map);
	else
		json_left("a range", range, cni->map);
}

/* The default route of the family, or NULL. */
static const json_t *default_route(const json_t *routes, uint8_t family)
{
	for (size_t i = 0; i < json_array_size(routes); i++) {
		const char *to = json_text_at(json_array_get(routes, i), "dst");
		if (is_default(to) && (strchr(to, ':') != NULL) == (family == AF_INET6))
			return json_array_get(routes, i);
	}
	return NULL;
}

/* A gateway alone makes no default route: the routes do. Where they name no router, host-local
 * takes the subnet's gateway, or infers its first address. */
static void gateway_settle(struct cni *cni, const json_t *routes, struct subnet *subnet)
{
	const json_t *route = default_route(routes, subnet->prefix.ip.family);
	char text[IP_TEXT_SIZE];
	if (route && json_ip_at(route, "gw", cni->map, &subnet->gateway))
		return;
	if (route && !subnet->gateway.family && !cni->single)
		subnet->gateway = ip_next(subnet->prefix.ip);
	if (route || !subnet->gateway.family)
		return;
	tree_comment(cni->map,
		     "the gateway %s is not carried over, as no default route leads through it",
		     ip_format(&subnet->gateway, text));
	subnet->gateway = (struct ip){0};
}

static void routes_take(struct cni *cni, const json_t *routes)
{
	for (size_t i = 0; i < json_array_size(routes); i++) {
		const json_t *item = json_array_get(routes, i);
		struct route route = {0};
		if (is_default(json_text_at(item, "dst")))
			continue;
		if (cni->single && json_prefix_at(item, "dst", cni->map, &route.to) &&
		    json_ip_at(item, "gw", cni->map, &route.via))
			*array_push(cni->arena, cni->attachment.routes, cni->attachment.n_routes) =
				route;
		else
			tree_comment(cni->map,
				     "the route to %s is each attachment's: `routes: [{to: "
				     "%s, via: %s}]`",
				     json_text_at(item, "dst"), json_text_at(item, "dst"),
				     json_text_at(item, "gw") ? json_text_at(item, "gw")
							      : "ROUTER");
	}
}

static void host_local_take(struct cni *cni, const json_t *ipam)
{
	static const char *const known[] = {"type",       "ranges",   "subnet",
					    "rangeStart", "rangeEnd", "gateway",
					    "routes",     "dataDir",  NULL};
	const json_t *ranges = json_object_get(ipam, "ranges");
	json_leftovers(ipam, known, cni->map);
	if (json_object_get(ipam, "subnet"))
		pool_take(cni, ipam);
	for (size_t i = 0; i < json_array_size(ranges); i++) {
		const json_t *set = json_array_get(ranges, i);
		for (size_t k = 0; k < json_array_size(set); k++) {
			if (k)
				json_left("a further range", json_array_get(set, k), cni->map);
			else
				range_pool_take(cni, json_array_get(set, k));
		}
	}
}

static void static_take(struct cni *cni, const json_t *ipam)
{
	static const char *const known[] = {"type", "addresses", "routes", NULL};
	const json_t *addresses = json_object_get(ipam, "addresses");
	cni->single = true;
	json_leftovers(ipam, known, cni->map);
	for (size_t i = 0; i < json_array_size(addresses); i++) {
		const json_t *item = json_array_get(addresses, i);
		const char *text = json_text_at(item, "address");
		struct prefix prefix;
		if (!text || !prefix_parse(text, &prefix)) {
			json_left("address", item, cni->map);
			continue;
		}
		if (prefix.ip.family == AF_INET)
			cni->attachment.ipv4 = prefix.ip;
		else
			cni->attachment.ipv6 = prefix.ip;
		struct subnet *subnet = subnet_add(cni, prefix);
		json_ip_at(item, "gateway", cni->map, &subnet->gateway);
	}
}

static void dhcp_take(struct cni *cni, const json_t *ipam)
{
	static const char *const known[] = {"type", NULL};
	cni->network.dhcp = true;
	json_leftovers(ipam, known, cni->map);
}

static void ipam_take(struct cni *cni, const json_t *ipam)
{
	const char *type = json_text_at(ipam, "type");
	const json_t *routes = json_object_get(ipam, "routes");
	if (type && strcmp(type, "host-local") == 0)
		host_local_take(cni, ipam);
	else if (type && strcmp(type, "static") == 0)
		static_take(cni, ipam);
	else if (type && strcmp(type, "dhcp") == 0)
		dhcp_take(cni, ipam);
	else if (ipam)
		json_left("ipam", ipam, cni->map);
	for (size_t i = 0; i < cni->network.n_subnets; i++)
		gateway_settle(cni, routes, &cni->network.subnets[i]);
	routes_take(cni, routes);
	if (!cni->network.n_subnets && !cni->network.dhcp)
		tree_comment(cni->map, "no subnet is said: write `subnet: ` and that of the LAN");
}

/* A macvlan on the VLAN's link is the nearest to the VLAN's link itself in the container. */
static void vlan_take(struct cni *cni, const json_t *plugin)
{
	long long id;
	if (!json_number_at(plugin, "vlanId", cni->map, 4094, &id) || id < 1)
		return;
	cni->network.vlan = (uint16_t)id;
	tree_comment(cni->map, "CNI puts the VLAN's link itself into the container; here it is a "
			       "macvlan on that link, which several containers can have");
}

static void mode_take(struct cni *cni, const json_t *plugin)
{
	const char *word = json_text_at(plugin, "mode");
	cni->network.mode = driver_info(cni->network.driver)->default_mode;
	if (word && !driver_mode_find(cni->network.driver, word, &cni->network.mode))
		json_left("mode", json_object_get(plugin, "mode"), cni->map);
}

static void link_take(struct cni *cni, const json_t *plugin)
{
	static const char *const known[] = {"cniVersion",
					    "name",
					    "type",
					    "master",
					    "mode",
					    "mtu",
					    "ipam",
					    "vlanId",
					    "bcqueuelen",
					    "capabilities",
					    "linkInContainer",
					    NULL};
	long long number;
	cni->network.parent = json_word_at(plugin, "master", cni->arena);
	if (!cni->network.parent)
		tree_comment(cni->map, "no master is said, for which CNI takes the link of the "
				       "host's default route: write `parent: ` and that link");
	if (json_number_at(plugin, "mtu", cni->map, UINT16_MAX, &number) && number > 0)
		cni->network.mtu = (uint32_t)number;
	if (json_number_at(plugin, "bcqueuelen", cni->map, UINT32_MAX, &number) && number > 0) {
		cni->network.has_bcqueuelen = true;
		cni->network.bcqueuelen = (uint32_t)number;
	}
	mode_take(cni, plugin);
	if (json_says_yes(plugin, "linkInContainer"))
		json_left("linkInContainer", json_object_get(plugin, "linkInContainer"), cni->map);
	json_leftovers(plugin, known, cni->map);
}

static void container_put(struct cni *cni)
{
	if (!cni->containers)
		cni->containers = tree_map(cni->document, "containers");
	struct tree *container = tree_map(cni->containers, cni->name);
	tree_comment(container, "CNI does not say which container has this address: name it");
	struct tree *networks = tree_map(container, "networks");
	serialise_attachment(tree_map(networks, cni->name), &cni->attachment);
}

static bool plugin_take(struct cni *cni, const json_t *plugin)
{
	const char *type = json_text_at(plugin, "type");
	bool vlan = type && strcmp(type, "vlan") == 0;
	cni->network = (struct network){0};
	cni->attachment = (struct attachment){0};
	cni->single = false;
	if (!vlan && !docker_driver(type, &cni->network.driver))
		return false;
	cni->map = tree_map(cni->networks, cni->name);
	if (vlan)
		vlan_take(cni, plugin);
	link_take(cni, plugin);
	ipam_take(cni, json_object_get(plugin, "ipam"));
	serialise_network(cni->map, &cni->network);
	if (cni->single)
		container_put(cni);
	return true;
}

static void conf_take(struct cni *cni, const json_t *conf)
{
	const json_t *plugins = json_object_get(conf, "plugins");
	const char *said = json_word_at(conf, "name", cni->arena);
	const char *name = said && *said ? said : "network";
	bool found = false;
	cni->name = name;
	for (unsigned n = 2; tree_has(cni->networks, cni->name); n++)
		cni->name = arena_printf(cni->arena, "%s-%u", name, n);
	if (!plugins)
		found = plugin_take(cni, conf);
	for (size_t i = 0; i < json_array_size(plugins); i++) {
		const json_t *plugin = json_array_get(plugins, i);
		if (!found && plugin_take(cni, plugin))
			found = true;
		else
			json_left("a further plugin", plugin, found ? cni->map : cni->networks);
	}
	if (!plugins && !found)
		tree_comment(cni->networks, "%s: a network of the plugin %s is not carried over",
			     cni->name,
			     json_text_at(conf, "type") ? json_text_at(conf, "type") : "?");
}

struct tree *import_cni(const json_t *const *confs, size_t count, struct arena *arena)
{
	struct tree *document = tree_new(arena);
	struct cni cni = {
		.arena = arena, .document = document, .networks = tree_map(document, "networks")};
	for (size_t i = 0; i < count; i++)
		conf_take(&cni, confs[i]);
	return document;
}
