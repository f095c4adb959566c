/* Docker Engine's networks and containers: https://docs.docker.com/reference/api/engine/ */
#include "convert/import.h"

#include "convert/docker_options.h"
#include "convert/json_read.h"
#include "convert/model_to_yaml.h"
#include "convert/yaml_tree_internal.h"

#include <limits.h>
#include <string.h>

static const struct docker_keys api_keys = {.options = "Options",
					    .subnet = "Subnet",
					    .gateway = "Gateway",
					    .range = "IPRange",
					    .aux = "AuxiliaryAddresses"};

/* bridge, host and none are there on every engine. */
static bool is_predefined(const char *name)
{
	return strcmp(name, "bridge") == 0 || strcmp(name, "host") == 0 ||
	       strcmp(name, "none") == 0;
}

/* False: it is left to Docker. */
static bool network_take(struct tree *to, const json_t *body)
{
	const char *name = json_text_at(body, "Name"), *driver = json_text_at(body, "Driver");
	const json_t *ipam = json_object_get(body, "IPAM");
	const char *manager = json_text_at(ipam, "Driver");
	struct network network = {.internal = json_says_yes(body, "Internal")};
	if (!name || !*name)
		return false;
	if (!docker_driver(driver, &network.driver)) {
		if (!is_predefined(name))
			tree_comment(to, "%s: its driver %s is left to Docker", name,
				     driver ? driver : "?");
		return false;
	}
	if (tree_has(to, name)) {
		tree_comment(to, "a second network %s is left to Docker: rename one of the two",
			     name);
		return false;
	}
	struct tree *map = tree_map(to, name);
	if (manager && strcmp(manager, "default") != 0)
		json_left("IPAM.Driver", json_object_get(ipam, "Driver"), map);
	docker_network(body, json_object_get(ipam, "Config"), &api_keys, map, &network);
	serialise_network(map, &network);
	return true;
}

/* Its current value, or else the configured one. */
static void address_take(const json_t *endpoint, struct tree *map, const char *now,
			 const char *asked, struct ip *ret)
{
	if (!json_ip_at(endpoint, now, map, ret))
		json_ip_at(json_object_get(endpoint, "IPAMConfig"), asked, map, ret);
}

static void endpoint_take(struct tree *map, const json_t *endpoint)
{
	struct attachment attachment = {0};
	long long priority;
	address_take(endpoint, map, "IPAddress", "IPv4Address", &attachment.ipv4);
	address_take(endpoint, map, "GlobalIPv6Address", "IPv6Address", &attachment.ipv6);
	json_mac_at(endpoint, "MacAddress", map, &attachment.mac);
	if (mac_is_of_ipv4(&attachment.mac, &attachment.ipv4))
		attachment.mac.set = false;
	if (json_number_at(endpoint, "GwPriority", map, INT_MAX, &priority))
		attachment.gw_priority = (int)priority;
	docker_endpoint(json_object_get(endpoint, "DriverOpts"), map, &attachment);
	serialise_attachment(map, &attachment);
}

static void container_take(struct tree *to, const json_t *container, const json_t *converted)
{
	const json_t *endpoints =
		json_object_get(json_object_get(container, "NetworkSettings"), "Networks");
	const char *name = json_text_at(container, "Name");
	struct tree *networks = NULL, *map;
	if (name && *name == '/')
		name++;
	if (!name || !*name)
		return;
	json_each (endpoints, member) {
		const char *key = json_object_iter_key(member);
		if (!json_object_get(converted, key))
			continue;
		if (!networks) {
			map = tree_map(to, name);
			tree_text(map, "docker", name);
			networks = tree_map(map, "networks");
		}
		endpoint_take(tree_map(networks, key), json_object_iter_value(member));
	}
	json_each (endpoints, member)
		if (networks && !json_object_get(converted, json_object_iter_key(member)))
			tree_comment(networks, "%s is left to Docker",
				     json_object_iter_key(member));
}

struct tree *import_docker(const json_t *networks, const json_t *containers, struct arena *arena)
{
	struct tree *document = tree_new(arena);
	struct tree *to = tree_map(document, "networks");
	json_t *converted = json_object();
	for (size_t i = 0; i < json_array_size(networks); i++) {
		const json_t *network = json_array_get(networks, i);
		if (network_take(to, network))
			json_object_set_new(converted, json_text_at(network, "Name"), json_true());
	}
	to = tree_map(document, "containers");
	tree_comment(
		to,
		"run each of these containers with `--network none`: mvapply creates their links; "
		"until then Docker's own links conflict with them");
	for (size_t i = 0; i < json_array_size(containers); i++)
		container_take(to, json_array_get(containers, i), converted);
	json_decref(converted);
	return document;
}
