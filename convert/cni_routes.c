/* Gateways and routes of CNI configurations. A gateway alone makes no default route: the routes do.
 * A route without a gateway uses the gateway of the first address of its family
 * (pkg/ipam/ipam_linux.go, ConfigureIface). */
#include "convert/cni_internal.h"

#include "convert/address_range.h"
#include "convert/json_read.h"

#include <linux/rtnetlink.h>
#include <string.h>

/* One of `routes`, as far as it is valid. */
struct cni_route {
	const json_t *json;
	struct prefix to;
	struct ip router; /* family 0: none */
	bool has_router;  /* the route has an explicit gateway */
	bool beyond;      /* its scope has no router */
	uint32_t table;   /* 0: main */
	struct route_options options;
};

/* Host bits of the destination are ignored, as by Go's net.ParseCIDR; false: there is no
 * destination. */
static bool destination(const json_t *route, struct prefix *ret)
{
	const char *text = json_text_at(route, "dst");
	struct prefix prefix;
	if (!text || !prefix_parse(text, &prefix))
		return false;
	*ret = prefix_subnet(&prefix);
	return true;
}

/* The gateway of the first address of the family that has one. */
static struct ip family_router(const struct cni *cni, uint8_t family)
{
	for (size_t i = 0; i < cni->n_pools; i++)
		if (cni->pools[i].router.family == family)
			return cni->pools[i].router;
	return (struct ip){0};
}

static uint32_t number_at(const json_t *route, const char *key, struct tree *at, long long max)
{
	long long number = 0;
	json_number_at(route, key, at, max, &number);
	return (uint32_t)number;
}

/* A route through a router has the scope global, whatever `scope` says: the kernel takes no other.
 */
static void options_read(const json_t *route, struct tree *at, struct cni_route *ret)
{
	const uint32_t scope = number_at(route, "scope", at, UINT8_MAX);
	const uint32_t table = number_at(route, "table", at, UINT32_MAX);
	ret->table = table == RT_TABLE_MAIN ? 0 : table;
	ret->options.metric = number_at(route, "priority", at, UINT32_MAX);
	ret->options.mtu = number_at(route, "mtu", at, UINT16_MAX);
	ret->options.advmss = number_at(route, "advmss", at, UINT16_MAX);
	ret->beyond = scope != RT_SCOPE_UNIVERSE;
}

/* False: it becomes a comment. */
static bool route_read(struct cni *cni, const json_t *json, struct cni_route *ret)
{
	*ret = (struct cni_route){.json = json};
	options_read(json, cni->map, ret);
	if (!destination(json, &ret->to) || ret->beyond) {
		json_unconverted("the route", json, cni->map);
		return false;
	}
	ret->has_router = json_ip_at(json, "gw", cni->map, &ret->router);
	if (!ret->has_router)
		ret->router = family_router(cni, ret->to.ip.family);
	if (ret->router.family == ret->to.ip.family)
		return true;
	/* A lease contains its router. */
	if (!cni->network.dhcp || ret->has_router || ret->to.len)
		json_unconverted("the route", json, cni->map);
	return false;
}

/* Of the main table. */
static bool is_default(const struct cni_route *route)
{
	return route->to.len == 0 && !route->table;
}

static void attributes_report(struct cni *cni, const struct cni_route *route)
{
	static const char *const default_known[] = {"dst", "gw", "table", "scope", NULL};
	static const char *const known[] = {"dst", "gw",     "table",    "scope",
					    "mtu", "advmss", "priority", NULL};
	char text[PREFIX_TEXT_SIZE];
	json_each (route->json, member)
		if (!json_key_among(is_default(route) ? default_known : known,
				    json_object_iter_key(member)))
			json_unconverted(arena_printf(cni->arena, "%s of the route to %s",
						      json_object_iter_key(member),
						      prefix_format(&route->to, text)),
					 json_object_iter_value(member), cni->map);
}

/* The first subnet of the router's family without a gateway, or NULL. */
static struct subnet *subnet_without(struct cni *cni, const struct ip *router)
{
	for (size_t i = 0; i < cni->network.n_subnets; i++)
		if (cni->network.subnets[i].prefix.ip.family == router->family &&
		    !cni->network.subnets[i].gateway.family)
			return &cni->network.subnets[i];
	return NULL;
}

static bool in_a_subnet(const struct cni *cni, const struct ip *router)
{
	return network_subnet_of(&cni->network, router) != NULL;
}

/* A router that no subnet contains is on the LAN all the same (pkg/ip/route_linux.go, AddRoute). */
static bool outside_take(struct cni *cni, const struct cni_route *route)
{
	struct subnet *subnet = route->has_router && !in_a_subnet(cni, &route->router)
					? subnet_without(cni, &route->router)
					: NULL;
	if (!subnet)
		return false;
	subnet->gateway = route->router;
	subnet->on_link = !ip_is_link_local(&route->router);
	return true;
}

/* The default route: sets the gateway of the subnets that contain its router. */
static void default_take(struct cni *cni, const struct cni_route *route)
{
	char text[IP_TEXT_SIZE];
	bool found = outside_take(cni, route);
	for (size_t i = 0; i < cni->network.n_subnets; i++) {
		struct subnet *subnet = &cni->network.subnets[i];
		const struct ip *router =
			route->has_router ? &route->router : &cni->pools[i].router;
		if (subnet->gateway.family || !router->family ||
		    !prefix_contains(&subnet->prefix, router))
			continue;
		subnet->gateway = *router;
		found = true;
	}
	if (!found)
		tree_comment(cni->map,
			     "the default route through %s is not converted: no subnet without a "
			     "gateway contains that address",
			     ip_format(&route->router, text));
	else
		attributes_report(cni, route);
}

static void route_take(struct cni *cni, const struct cni_route *route)
{
	struct route *added = array_push(cni->arena, cni->network.routes, cni->network.n_routes);
	attributes_report(cni, route);
	*added = (struct route){.to = route->to,
				.via = route->router,
				.table = route->table,
				.options = route->options};
	added->options.on_link =
		!in_a_subnet(cni, &route->router) && !ip_is_link_local(&route->router);
}

/* The plugin never assigns a router's address: it becomes the subnet's gateway, or an aux address
 * if no default route uses it. */
static void router_reserve(struct cni *cni, struct subnet *subnet, const struct cni_pool *pool)
{
	char text[IP_TEXT_SIZE];
	if (!pool->inferred && pool->router.family && !ip_equal(&pool->router, &subnet->gateway))
		tree_comment(cni->map,
			     "the gateway %s is not converted, as no default route leads through "
			     "it",
			     ip_format(&pool->router, text));
	subnet_reserve_router(cni->map, subnet, &pool->router);
}

void cni_routes(struct cni *cni, const json_t *routes)
{
	struct cni_route route;
	if (routes && !json_is_array(routes) && !json_is_null(routes))
		json_unconverted("routes", routes, cni->map);
	for (size_t i = 0; i < json_array_size(routes); i++) {
		if (!route_read(cni, json_array_get(routes, i), &route))
			continue;
		if (is_default(&route))
			default_take(cni, &route);
		else
			route_take(cni, &route);
	}
	for (size_t i = 0; i < cni->network.n_subnets; i++)
		router_reserve(cni, &cni->network.subnets[i], &cni->pools[i]);
}
