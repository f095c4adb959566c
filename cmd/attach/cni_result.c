#include "cmd/attach/cni_result.h"

#include "container_engine/json.h"

#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/socket.h>

/* The codes that the specification reserves; the others are numbers of mvapply's own codes, which
 * are 100 and higher. */
#define CNI_TRY_AGAIN 11
static const struct {
	enum code code;
	int number;
} reserved[] = {
	{CODE_CNI_VERSION, 1},
	{CODE_CNI_ENVIRONMENT, 4},
	{CODE_CNI_INPUT, 6},
	{CODE_CNI_CONFIGURATION, 7},
	{CODE_CNI_NETWORK, 7},
	{CODE_PARENT_ABSENT, CNI_TRY_AGAIN},
	{CODE_PARENT_DOWN, CNI_TRY_AGAIN},
	{CODE_CNI_UNREADY, 50},
};

static int number_of(enum code code)
{
	for (size_t i = 0; i < sizeof(reserved) / sizeof(reserved[0]); i++)
		if (reserved[i].code == code)
			return reserved[i].number;
	return (int)code;
}

json_t *cni_failed(const struct cni_request *request, const struct error *error)
{
	char code[CODE_TEXT_SIZE];
	json_t *answer = json_pack("{s:s, s:i}", "cniVersion", request->version, "code",
				   number_of(error->code));
	json_object_set_new(
		answer, "msg",
		json_sprintf("mvapply: %s [%s]", error->text, code_format(error->code, code)));
	if (*error->hint)
		json_object_set_new(answer, "details", json_string(error->hint));
	return answer;
}

json_t *cni_supported(const struct cni_request *request)
{
	json_t *versions = json_array();
	for (size_t i = 0; cni_versions[i]; i++)
		json_array_append_new(versions, json_string(cni_versions[i]));
	return json_pack("{s:s, s:o}", "cniVersion", request->version, "supportedVersions",
			 versions);
}

/* The list at the key, which is made if there is none. */
static json_t *list_at(json_t *object, const char *key)
{
	json_t *list = json_object_get(object, key);
	if (json_is_array(list))
		return list;
	list = json_array();
	json_object_set_new(object, key, list);
	return list;
}

static bool version_before(const char *version, const char *other)
{
	return strcmp(version, other) < 0; /* each number has one digit */
}

static json_t *interface_json(const struct cni_request *request, const struct link_spec *spec)
{
	char mac[MAC_TEXT_SIZE];
	json_t *interface = json_pack("{s:s, s:s}", "name", spec->name, "sandbox", request->netns);
	if (spec->mac.set)
		json_object_set_new(interface, "mac", json_string(mac_format(&spec->mac, mac)));
	if (spec->mtu && !version_before(request->version, "1.1.0"))
		json_object_set_new(interface, "mtu", json_integer(spec->mtu));
	return interface;
}

static json_t *address_json(const struct cni_request *request, const struct network *network,
			    const struct prefix *addr, size_t interface)
{
	char text[PREFIX_TEXT_SIZE], gateway[IP_TEXT_SIZE];
	const struct ip *router = network_gateway(network, &addr->ip);
	json_t *json = json_pack("{s:s, s:I}", "address", prefix_format(addr, text), "interface",
				 (json_int_t)interface);
	if (router)
		json_object_set_new(json, "gateway", json_string(ip_format(router, gateway)));
	if (version_before(request->version, "1.0.0"))
		json_object_set_new(json, "version",
				    json_string(addr->ip.family == AF_INET6 ? "6" : "4"));
	return json;
}

static void number_set(json_t *json, const char *key, uint32_t number)
{
	if (number)
		json_object_set_new(json, key, json_integer(number));
}

/* The options are from 1.1.0 on. */
static json_t *route_json(const struct cni_request *request, const struct link_route *route)
{
	char to[PREFIX_TEXT_SIZE], via[IP_TEXT_SIZE];
	json_t *json = json_pack("{s:s}", "dst", prefix_format(&route->to, to));
	if (route->via.family)
		json_object_set_new(json, "gw", json_string(ip_format(&route->via, via)));
	if (version_before(request->version, "1.1.0"))
		return json;
	number_set(json, "mtu", route->options.mtu);
	number_set(json, "advmss", route->options.advmss);
	number_set(json, "priority", route->options.metric);
	number_set(json, "table", route->table);
	return json;
}

/* A table of the link alone is mvapply's memory of a lease, or of policy routing. Before 1.1.0 a
 * result has no tables. */
static bool route_is_listed(const struct cni_request *request, const struct link_route *route)
{
	return !route->table ||
	       (!table_is_source(route->table) && !version_before(request->version, "1.1.0"));
}

json_t *cni_added(const struct cni_request *request, const struct network *network,
		  const struct link_spec *spec)
{
	json_t *answer = request->previous ? json_deep_copy(request->previous) : json_object();
	json_t *interfaces = list_at(answer, "interfaces"), *ips = list_at(answer, "ips"),
	       *routes = list_at(answer, "routes");
	const size_t number = json_array_size(interfaces);
	json_object_set_new(answer, "cniVersion", json_string(request->version));
	json_array_append_new(interfaces, interface_json(request, spec));
	for (size_t i = 0; i < spec->n_addrs; i++)
		json_array_append_new(ips, address_json(request, network, &spec->addrs[i], number));
	for (size_t i = 0; i < spec->n_routes; i++)
		if (route_is_listed(request, &spec->routes[i]))
			json_array_append_new(routes, route_json(request, &spec->routes[i]));
	if (!json_object_get(answer, "dns"))
		json_object_set_new(answer, "dns", json_object());
	return answer;
}

/* The interface's number in the result; the number of all if it has none of that name in a
 * namespace. One in the namespace `netns` is preferred. */
static size_t interface_find(const json_t *interfaces, const char *ifname, const char *netns)
{
	size_t found = json_array_size(interfaces), i;
	json_t *item;
	json_array_foreach(interfaces, i, item)
	{
		const char *name = engine_json_text(item, "name"),
			   *sandbox = engine_json_text(item, "sandbox");
		if (!name || !sandbox || strcmp(name, ifname) != 0)
			continue;
		if (strcmp(sandbox, netns) == 0)
			return i;
		found = i;
	}
	return found;
}

static void addresses_take(const json_t *ips, size_t number, struct arena *arena,
			   struct cni_previous *previous)
{
	size_t i;
	json_t *item;
	json_array_foreach(ips, i, item)
	{
		struct prefix prefix;
		const char *address = engine_json_text(item, "address");
		const json_t *interface = json_object_get(item, "interface");
		if (!address || !prefix_parse(address, &prefix))
			continue;
		if (json_is_integer(interface) &&
		    json_integer_value(interface) == (json_int_t)number)
			*array_push(arena, previous->addrs, previous->n_addrs) = prefix;
		else
			*array_push(arena, previous->others, previous->n_others) = prefix;
	}
}

static uint32_t number_get(const json_t *json, const char *key)
{
	const json_int_t number = json_integer_value(json_object_get(json, key));
	return number > 0 && number <= UINT32_MAX ? (uint32_t)number : 0;
}

/* The main table is that of a route without a table. */
static bool route_parse(const json_t *json, struct link_route *ret)
{
	const char *to = engine_json_text(json, "dst"), *via = engine_json_text(json, "gw");
	*ret = (struct link_route){.table = number_get(json, "table"),
				   .options = {.metric = number_get(json, "priority"),
					       .mtu = number_get(json, "mtu"),
					       .advmss = number_get(json, "advmss")}};
	if (ret->table == RT_TABLE_MAIN)
		ret->table = 0;
	return to && prefix_parse(to, &ret->to) && (!via || ip_parse(via, &ret->via));
}

bool cni_previous_parse(const struct cni_request *request, struct arena *arena,
			struct cni_previous *ret)
{
	const json_t *result = request->previous;
	const json_t *interfaces = json_object_get(result, "interfaces");
	const size_t number = interface_find(interfaces, request->interface.ifname, request->netns);
	json_t *item = json_array_get(interfaces, number);
	size_t i;
	*ret = (struct cni_previous){0};
	if (!item)
		return false;
	ret->mac = engine_json_text(item, "mac");
	ret->sandbox = engine_json_text(item, "sandbox");
	addresses_take(json_object_get(result, "ips"), number, arena, ret);
	json_array_foreach(json_object_get(result, "routes"), i, item)
	{
		struct link_route route;
		if (route_parse(item, &route))
			*array_push(arena, ret->routes, ret->n_routes) = route;
	}
	return true;
}
