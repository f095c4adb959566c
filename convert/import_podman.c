/* Podman's networks and containers, as libpod's API and netavark have them:
 * https://docs.podman.io/en/latest/_static/api.html, podman-network-create(1) */
#include "convert/import.h"

#include "convert/address_range.h"
#include "convert/docker_options.h"
#include "convert/import_edit.h"
#include "convert/json_read.h"
#include "convert/model_to_yaml.h"
#include "convert/yaml_tree_internal.h"
#include "schema/driver.h"

#include <string.h>

/* The keys of a network, beside those that only Podman itself needs. */
static const char *const network_known[] = {
	"name",         "id",       "driver",      "network_interface", "created",      "subnets",
	"ipv6_enabled", "internal", "dns_enabled", "options",           "ipam_options", "labels",
	"containers",   NULL};

static void mode_take(struct tree *map, const json_t *options, struct network *network)
{
	const json_t *mode = json_object_get(options, "mode");
	const char *word = json_string_value(mode);
	network->mode = driver_info(network->driver)->default_mode;
	if (!word || !*word || driver_mode_find(network->driver, word, &network->mode))
		return;
	import_edit(map, "mode", "%s has no mode %s", driver_name(network->driver), word);
}

static void options_take(struct tree *map, const json_t *options, struct network *network)
{
	static const char *const known[] = {"mode", "mtu", "parent", "no_default_route", NULL};
	long long mtu;
	mode_take(map, options, network);
	if (json_number_at(options, "mtu", map, UINT16_MAX, &mtu) && mtu > 0)
		network->mtu = (uint32_t)mtu;
	json_leftovers(options, known, map);
}

static void lease_range_take(struct tree *map, const json_t *range, struct subnet *subnet)
{
	struct ip first, last;
	range_usable(&subnet->prefix, &first, &last);
	json_ip_at(range, "start_ip", map, &first);
	json_ip_at(range, "end_ip", map, &last);
	range_to_block(map, subnet, first, last, NULL);
}

/* netavark never gives out a subnet's gateway, which is one of the default route unless the network
 * says otherwise. */
static void subnet_take(struct tree *map, const json_t *body, bool routed, struct network *network)
{
	static const char *const known[] = {"subnet", "gateway", "lease_range", NULL};
	struct subnet subnet = {0};
	struct ip router = {0};
	if (!json_prefix_at(body, "subnet", map, &subnet.prefix)) {
		json_left("a subnet", body, map);
		return;
	}
	subnet.ip_range = subnet.prefix;
	if (json_object_get(body, "lease_range"))
		lease_range_take(map, json_object_get(body, "lease_range"), &subnet);
	if (json_ip_at(body, "gateway", map, &router) && routed)
		subnet.gateway = router;
	subnet_reserve_router(map, &subnet, &router);
	json_leftovers(body, known, map);
	*array_push(map->arena, network->subnets, network->n_subnets) = subnet;
}

static void ipam_take(struct tree *map, const json_t *body, struct network *network)
{
	const char *driver = json_text_at(json_object_get(body, "ipam_options"), "driver");
	const json_t *subnets = json_object_get(body, "subnets");
	const bool routed = !json_says_yes(json_object_get(body, "options"), "no_default_route");
	if (driver && strcmp(driver, "dhcp") == 0)
		network->dhcp = true;
	else if (driver && strcmp(driver, "host-local") != 0)
		json_left("ipam_options", json_object_get(body, "ipam_options"), map);
	for (size_t i = 0; i < json_array_size(subnets); i++)
		subnet_take(map, json_array_get(subnets, i), routed && !network->internal, network);
}

/* False: it is left to Podman. */
static bool network_take(struct tree *to, const json_t *body)
{
	const char *name = json_text_at(body, "name"), *driver = json_text_at(body, "driver");
	struct network network = {.internal = json_says_yes(body, "internal")};
	if (!name || !*name || tree_has(to, name))
		return false;
	if (!docker_driver(driver, &network.driver)) {
		if (strcmp(name, "podman") != 0) /* is there on every engine */
			tree_comment(to, "%s: its driver %s is left to Podman", name,
				     driver ? driver : "?");
		return false;
	}
	struct tree *map = tree_map(to, name);
	const char *parent = json_word_at(body, "network_interface", map->arena);
	network.parent = parent && *parent ? parent : NULL;
	if (!network.parent)
		tree_comment(map,
			     "the network has no network_interface, for which Podman takes the "
			     "link of the host's default route: write `parent: ` and that link");
	options_take(map, json_object_get(body, "options"), &network);
	ipam_take(map, body, &network);
	json_leftovers(body, network_known, map);
	serialise_network(map, &network);
	return true;
}

/* The keys of a container's network, beside those that are as Podman chose them. */
static const char *const endpoint_known[] = {
	"EndpointID",          "Gateway",     "IPAddress",
	"IPPrefixLen",         "IPv6Gateway", "GlobalIPv6Address",
	"GlobalIPv6PrefixLen", "MacAddress",  "NetworkID",
	"DriverOpts",          "IPAMConfig",  "Links",
	"interface_name",      NULL};

static void endpoint_take(struct tree *map, const json_t *endpoint)
{
	struct attachment attachment = {0};
	json_ip_at(endpoint, "IPAddress", map, &attachment.ipv4);
	json_ip_at(endpoint, "GlobalIPv6Address", map, &attachment.ipv6);
	json_mac_at(endpoint, "MacAddress", map, &attachment.mac);
	attachment.interface_name = json_word_at(endpoint, "interface_name", map->arena);
	json_leftovers(endpoint, endpoint_known, map);
	serialise_attachment(map, &attachment);
}

static void container_take(struct tree *to, const json_t *container, const json_t *converted)
{
	const json_t *endpoints =
		json_object_get(json_object_get(container, "NetworkSettings"), "Networks");
	const char *name = json_text_at(container, "Name");
	struct tree *networks = NULL;
	if (!name || !*name)
		return;
	json_each (endpoints, member) {
		if (!json_object_get(converted, json_object_iter_key(member)))
			continue;
		if (!networks) {
			struct tree *map = tree_map(to, name);
			tree_text(map, "podman", name);
			networks = tree_map(map, "networks");
		}
		endpoint_take(tree_map(networks, json_object_iter_key(member)),
			      json_object_iter_value(member));
	}
	json_each (endpoints, member)
		if (networks && !json_object_get(converted, json_object_iter_key(member)))
			tree_comment(networks, "%s is left to Podman",
				     json_object_iter_key(member));
}

struct tree *import_podman(const json_t *networks, const json_t *containers, struct arena *arena)
{
	struct tree *document = tree_new(arena);
	struct tree *to = tree_map(document, "networks");
	json_t *converted = json_object();
	for (size_t i = 0; i < json_array_size(networks); i++)
		if (network_take(to, json_array_get(networks, i)))
			json_object_set_new(converted,
					    json_text_at(json_array_get(networks, i), "name"),
					    json_true());
	to = tree_map(document, "containers");
	tree_comment(to, "create each of these with `--network none`: mvapply attaches it");
	for (size_t i = 0; i < json_array_size(containers); i++)
		container_take(to, json_array_get(containers, i), converted);
	json_decref(converted);
	return document;
}
