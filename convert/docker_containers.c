#include "convert/docker_containers.h"

#include "convert/docker_options.h"
#include "convert/json_read.h"

#include <string.h>

static json_t *endpoints_of(const json_t *container)
{
	return json_object_get(json_object_get(container, "NetworkSettings"), "Networks");
}

static json_int_t priority_of(const json_t *endpoint)
{
	return json_integer_value(json_object_get(endpoint, "GwPriority"));
}

static bool has_gateway(const json_t *endpoint)
{
	const char *v4 = json_text_at(endpoint, "Gateway");
	const char *v6 = json_text_at(endpoint, "IPv6Gateway");
	return (v4 && *v4) || (v6 && *v6);
}

/* libnetwork's (*Endpoint).Less: the highest priority, then the first name. NULL: none has a
 * gateway, as of a container that does not run; `any`: they need none. */
static const char *routed_name(const json_t *endpoints, bool any)
{
	const char *best = NULL;
	json_each (endpoints, member) {
		const char *name = json_object_iter_key(member);
		const json_t *endpoint = json_object_iter_value(member);
		const json_int_t priority = priority_of(endpoint);
		const json_int_t before = priority_of(json_object_get(endpoints, best ? best : ""));
		if ((any || has_gateway(endpoint)) &&
		    (!best || priority > before || (priority == before && strcmp(name, best) < 0)))
			best = name;
	}
	return best;
}

/* The network of the default route before all that are as good. */
static void route_keep(json_t *endpoints)
{
	const char *routed = routed_name(endpoints, false);
	json_t *endpoint = json_object_get(endpoints, routed ? routed : "");
	const json_int_t priority = priority_of(endpoint);
	const char *first = json_object_iter_key(json_object_iter(endpoints));
	if (routed && strcmp(routed, first) != 0 && priority < INT32_MAX)
		json_object_set_new(endpoint, "GwPriority", json_integer(priority + 1));
}

static bool is_converted(const char *name, const json_t *networks)
{
	enum driver ignored;
	for (size_t i = 0; i < json_array_size(networks); i++) {
		const json_t *network = json_array_get(networks, i);
		const char *other = json_text_at(network, "Name");
		if (other && strcmp(other, name) == 0)
			return docker_driver(json_text_at(network, "Driver"), &ignored);
	}
	return false;
}

static void priority_add(json_t *endpoint, json_int_t more)
{
	json_object_set_new(endpoint, "GwPriority", json_integer(priority_of(endpoint) + more));
}

/* Beside networks that are left to Docker, a priority above 0 has the default route. */
static void route_beside(json_t *endpoints, const json_t *networks)
{
	const char *running = routed_name(endpoints, false);
	const char *routed = running ? running : routed_name(endpoints, true);
	json_t *endpoint = json_object_get(endpoints, routed ? routed : "");
	json_int_t most = 0;
	size_t left = 0;
	json_each (endpoints, member) {
		const bool converted = is_converted(json_object_iter_key(member), networks);
		const json_int_t priority = priority_of(json_object_iter_value(member));
		left += !converted;
		most = converted && priority > most ? priority : most;
	}
	if (!left || !routed)
		return;
	if (running && is_converted(routed, networks) && priority_of(endpoint) <= 0)
		priority_add(endpoint, 1 - priority_of(endpoint));
	else if (!is_converted(routed, networks) && most)
		json_each (endpoints, member)
			priority_add(json_object_iter_value(member), -most);
}

/* Of a container that does not run, engines before 25 have its MAC address only in `Config`. */
static void mac_keep(json_t *endpoint, const json_t *container)
{
	const char *now = json_text_at(endpoint, "MacAddress");
	const char *mac = json_text_at(json_object_get(container, "Config"), "MacAddress");
	if (mac && *mac && (!now || !*now))
		json_object_set_new(endpoint, "MacAddress", json_string(mac));
}

/* The network that a container is created with is connected first; the API has them by name. */
static void order(json_t *container, const json_t *networks)
{
	json_t *settings = json_object_get(container, "NetworkSettings");
	const json_t *endpoints = endpoints_of(container);
	const char *first = json_text_at(json_object_get(container, "HostConfig"), "NetworkMode");
	json_t *endpoint = json_object_get(endpoints, first ? first : "");
	json_t *ordered = json_object();
	if (endpoint) {
		mac_keep(endpoint, container);
		json_object_set(ordered, first, endpoint);
	}
	json_object_update_missing(ordered, (json_t *)(uintptr_t)endpoints);
	route_keep(ordered);
	route_beside(ordered, networks);
	if (json_object_size(ordered))
		json_object_set(settings, "Networks", ordered);
	json_decref(ordered);
}

json_t *docker_containers_ordered(const json_t *containers, const json_t *networks)
{
	json_t *copy = json_deep_copy(containers);
	for (size_t i = 0; i < json_array_size(copy); i++)
		order(json_array_get(copy, i), networks);
	return copy;
}

/* Sets the gateway of the pool that the address is in, if it has none. */
static void pool_route(json_t *pools, const char *gateway)
{
	struct ip ip;
	if (!gateway || !ip_parse(gateway, &ip))
		return;
	for (size_t i = 0; i < json_array_size(pools); i++) {
		json_t *pool = json_array_get(pools, i);
		const char *subnet = json_text_at(pool, "Subnet"),
			   *own = json_text_at(pool, "Gateway");
		struct prefix prefix;
		if ((!own || !*own) && subnet && prefix_parse(subnet, &prefix) &&
		    prefix_contains(&prefix, &ip))
			json_object_set_new(pool, "Gateway", json_string(gateway));
	}
}

/* The gateways that one container uses, by the names of its networks. */
static void routes_put(const json_t *container, const json_t *pools_of)
{
	json_each (endpoints_of(container), member) {
		const json_t *endpoint = json_object_iter_value(member);
		json_t *pools = json_object_get(pools_of, json_object_iter_key(member));
		pool_route(pools, json_text_at(endpoint, "Gateway"));
		pool_route(pools, json_text_at(endpoint, "IPv6Gateway"));
	}
}

json_t *docker_networks_routed(const json_t *networks, const json_t *containers)
{
	json_t *copy = json_deep_copy(networks), *pools_of = json_object();
	for (size_t i = 0; i < json_array_size(copy); i++) {
		const json_t *network = json_array_get(copy, i);
		const char *name = json_text_at(network, "Name");
		json_t *pools = json_object_get(json_object_get(network, "IPAM"), "Config");
		if (name && pools)
			json_object_set(pools_of, name, pools);
	}
	for (size_t i = 0; i < json_array_size(containers); i++)
		routes_put(json_array_get(containers, i), pools_of);
	json_decref(pools_of);
	return copy;
}
