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
};

/* Host bits of the destination are ignored, as by Go's net.ParseCIDR; false: there is no
 * destination. */
static bool destination(const json_t *route, struct prefix *ret)
{
	const char *text = json_text_at(route, "dst");
	struct prefix prefix;
	if (!text || !prefix_parse(text, &prefix))
		return false;
	*ret = (struct prefix){.ip = prefix_first(&prefix), .len = prefix.len};
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

/* Whether it is in the main table, in the scope of a route through a router. */
static bool is_plain(const json_t *route, struct tree *at)
{
	long long table = 0, scope = 0;
	json_number_at(route, "table", at, UINT32_MAX, &table);
	json_number_at(route, "scope", at, UINT8_MAX, &scope);
	return (table == 0 || table == RT_TABLE_MAIN) && scope == RT_SCOPE_UNIVERSE;
}

/* False: it becomes a comment. */
static bool route_read(struct cni *cni, const json_t *json, struct cni_route *ret)
{
	*ret = (struct cni_route){.json = json};
	if (!destination(json, &ret->to) || !is_plain(json, cni->map)) {
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

static void attributes_report(struct cni *cni, const struct cni_route *route)
{
	static const char *const known[] = {"dst", "gw", "table", "scope", NULL};
	char text[PREFIX_TEXT_SIZE];
	json_each (route->json, member)
		if (!json_key_among(known, json_object_iter_key(member)))
			json_unconverted(arena_printf(cni->arena, "%s of the route to %s",
						      json_object_iter_key(member),
						      prefix_format(&route->to, text)),
					 json_object_iter_value(member), cni->map);
}

/* The default route: sets the gateway of the subnets that contain its router. */
static void default_take(struct cni *cni, const struct cni_route *route)
{
	char text[IP_TEXT_SIZE];
	bool found = false;
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
	char to[PREFIX_TEXT_SIZE], via[IP_TEXT_SIZE];
	attributes_report(cni, route);
	prefix_format(&route->to, to);
	ip_format(&route->router, via);
	if (cni->single)
		*array_push(cni->arena, cni->attachment.routes, cni->attachment.n_routes) =
			(struct route){.to = route->to, .via = route->router};
	else
		tree_comment(cni->map,
			     "the route to %s belongs to each attachment: `routes: [{to: \"%s\", "
			     "via: \"%s\"}]`",
			     to, to, via);
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
		if (route.to.len == 0)
			default_take(cni, &route);
		else
			route_take(cni, &route);
	}
	for (size_t i = 0; i < cni->network.n_subnets; i++)
		router_reserve(cni, &cni->network.subnets[i], &cni->pools[i]);
}
