/* Podman's networks and containers, in the format of libpod's API and netavark:
 * https://docs.podman.io/en/latest/_static/api.html, podman-network-create(1) */
#include "convert/import.h"

#include "convert/address_range.h"
#include "convert/docker_options.h"
#include "convert/import_edit.h"
#include "convert/import_engine.h"
#include "convert/json_read.h"
#include "convert/model_to_yaml.h"
#include "convert/yaml_tree_internal.h"
#include "schema/driver.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

/* The supported keys of a network, and those that concern only Podman itself. */
static const char *const network_known[] = {
	"name",         "id",       "driver",      "network_interface", "created",      "subnets",
	"ipv6_enabled", "internal", "dns_enabled", "options",           "ipam_options", "labels",
	"containers",   NULL};

/* netavark's option of macvlan, which has a queue for broadcast. */
static bool limit_read(const char *text, struct network *network)
{
	char *end;
	errno = 0;
	const long limit = strtol(text, &end, 10);
	if (*end || end == text || errno || limit < INT_MIN || limit > INT_MAX ||
	    !driver_info(network->driver)->broadcast_queue)
		return false;
	network->has_bclim = true;
	network->bclim = (int)limit;
	return true;
}

static void options_take(struct tree *map, const json_t *options, struct network *network)
{
	static const char *const known[] = {"mode",  "mtu", "parent", "no_default_route",
					    "bclim", NULL};
	const char *bclim = json_text_at(options, "bclim");
	if (bclim && !limit_read(bclim, network))
		json_unconverted("bclim", json_object_get(options, "bclim"), map);
	network_mode_at(options, "mode", map, network);
	network_mtu_at(options, "mtu", map, network);
	network_vlan_left(options, map);
	json_leftovers(options, known, map);
}

/* False: the text is no address, and the range is to be edited. */
static bool lease_end_at(struct tree *map, const json_t *range, const char *key, struct ip *ret)
{
	const char *text = json_text_at(range, key);
	if (!text || ip_parse(text, ret))
		return true;
	import_edit(map, "ip_range", "%s is not an address", text);
	return false;
}

static void lease_range_take(struct tree *map, const json_t *range, struct subnet *subnet)
{
	struct ip first, last;
	range_usable(&subnet->prefix, &first, &last);
	if (lease_end_at(map, range, "start_ip", &first) &&
	    lease_end_at(map, range, "end_ip", &last))
		subnet_range_add(map, subnet, first, last, NULL);
}

/* netavark never assigns a subnet's gateway, which is a default gateway unless the network disables
 * it. */
static void subnet_take(struct tree *map, const json_t *body, bool routed, struct network *network)
{
	static const char *const known[] = {"subnet", "gateway", "lease_range", "IPRange", NULL};
	struct subnet subnet = {0};
	struct ip router = {0};
	if (!json_prefix_at(body, "subnet", map, &subnet.prefix)) {
		json_unconverted("a subnet", body, map);
		return;
	}
	/* Quadlet's text, if it is neither a prefix nor a range. */
	if (json_text_at(body, "IPRange"))
		import_edit(map, "ip_range", "%s is not a range", json_text_at(body, "IPRange"));
	if (json_object_get(body, "lease_range"))
		lease_range_take(map, json_object_get(body, "lease_range"), &subnet);
	if (json_ip_at(body, "gateway", map, &router) && routed)
		subnet.gateway = router;
	subnet_reserve_router(map, &subnet, &router);
	json_leftovers(body, known, map);
	*array_push(map->arena, network->subnets, network->n_subnets) = subnet;
}

/* Podman reads its options with Go's strconv.ParseBool. */
static bool is_go_true(const char *text)
{
	static const char *const words[] = {"1", "t", "T", "TRUE", "true", "True", NULL};
	return text && json_key_among(words, text);
}

static void ipam_take(struct tree *map, const json_t *body, struct network *network)
{
	const char *driver = json_text_at(json_object_get(body, "ipam_options"), "driver");
	const json_t *subnets = json_object_get(body, "subnets");
	const bool routed =
		!is_go_true(json_text_at(json_object_get(body, "options"), "no_default_route"));
	if (driver && strcmp(driver, "dhcp") == 0)
		network->dhcp = true;
	else if (driver && strcmp(driver, "host-local") != 0)
		json_unconverted("ipam_options", json_object_get(body, "ipam_options"), map);
	for (size_t i = 0; i < json_array_size(subnets); i++)
		subnet_take(map, json_array_get(subnets, i), routed && !network->internal, network);
}

static void network_take(struct tree *map, const json_t *body)
{
	struct network network = {.internal = json_is_yes(body, "internal")};
	docker_driver(json_text_at(body, "driver"), &network.driver);
	const char *parent = json_word_at(body, "network_interface", map->arena);
	network.parent = parent && *parent ? parent : NULL;
	if (!network.parent)
		tree_comment(map,
			     "the network has no network_interface, so Podman uses the link of the "
			     "host's default route: write `parent: ` with that link");
	options_take(map, json_object_get(body, "options"), &network);
	ipam_take(map, body, &network);
	json_leftovers(body, network_known, map);
	serialise_network(map, &network);
}

/* The supported keys of a container's network, and those that Podman chooses itself. */
static const char *const endpoint_known[] = {
	"EndpointID",          "Gateway",     "IPAddress",
	"IPPrefixLen",         "IPv6Gateway", "GlobalIPv6Address",
	"GlobalIPv6PrefixLen", "MacAddress",  "NetworkID",
	"DriverOpts",          "IPAMConfig",  "Links",
	"interface_name",      NULL};

static bool is_empty(const json_t *object, const char *key)
{
	const char *text = json_text_at(object, key);
	return text && !*text;
}

static void endpoint_take(struct tree *map, const json_t *endpoint)
{
	struct attachment attachment = {0};
	import_ipv4_at(endpoint, "IPAddress", map, &attachment.ipv4);
	import_ipv6_at(endpoint, "GlobalIPv6Address", map, &attachment.ipv6);
	import_mac_at(endpoint, "MacAddress", map, &attachment.mac);
	attachment.interface_name = json_word_at(endpoint, "interface_name", map->arena);
	json_leftovers(endpoint, endpoint_known, map);
	if (is_empty(endpoint, "IPAddress") && is_empty(endpoint, "GlobalIPv6Address"))
		tree_comment(map, "the container does not run, and Podman does not say whether it "
				  "has a fixed address or MAC address: write them here");
	serialise_attachment(map, &attachment);
}

static bool leases(const json_t *networks, const char *name)
{
	for (size_t i = 0; i < json_array_size(networks); i++) {
		const json_t *network = json_array_get(networks, i);
		const char *other = json_text_at(network, "name");
		const char *driver =
			json_text_at(json_object_get(network, "ipam_options"), "driver");
		if (other && strcmp(other, name) == 0)
			return driver && strcmp(driver, "dhcp") == 0;
	}
	return false;
}

/* Podman lists a lease as an address. The caller releases the result with json_decref. */
static json_t *without_leases(const json_t *containers, const json_t *networks)
{
	json_t *copy = json_deep_copy(containers);
	for (size_t i = 0; i < json_array_size(copy); i++) {
		const json_t *settings =
			json_object_get(json_array_get(copy, i), "NetworkSettings");
		json_each (json_object_get(settings, "Networks"), member) {
			json_t *endpoint = json_object_iter_value(member);
			const char *address = json_text_at(endpoint, "IPAddress");
			if (!address || !leases(networks, json_object_iter_key(member)))
				continue;
			if (*address)
				json_object_set_new(endpoint, "the DHCP lease",
						    json_string(address));
			json_object_del(endpoint, "IPAddress");
		}
	}
	return copy;
}

struct tree *import_podman(const json_t *networks, const json_t *containers, struct arena *arena)
{
	static const char *const predefined[] = {"podman", NULL};
	static const struct engine_words words = {
		.name = "Podman",
		.source = "podman",
		.advice = "create each of these with `--network none`: mvapply attaches it",
		.network_name = "name",
		.network_driver = "driver",
		.predefined = predefined,
		.network = network_take,
		.endpoint = endpoint_take};
	json_t *leased = without_leases(containers, networks);
	struct tree *tree = import_engine(&words, networks, leased, arena);
	json_decref(leased);
	return tree;
}
