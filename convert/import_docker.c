/* Docker Engine's networks and containers: https://docs.docker.com/reference/api/engine/ */
#include "convert/import.h"

#include "convert/docker_containers.h"
#include "convert/docker_options.h"
#include "convert/import_engine.h"
#include "convert/json_read.h"
#include "convert/model_to_yaml.h"

#include <limits.h>
#include <string.h>

static const struct docker_keys api_keys = {.options = "Options",
					    .subnet = "Subnet",
					    .gateway = "Gateway",
					    .range = "IPRange",
					    .aux = "AuxiliaryAddresses",
					    .ipv4 = "EnableIPv4",
					    .ipv6 = "EnableIPv6",
					    .ipv6_unless_false = true};

static void network_take(struct tree *map, const json_t *body)
{
	const json_t *ipam = json_object_get(body, "IPAM");
	const char *manager = json_text_at(ipam, "Driver");
	struct network network = {.internal = json_is_yes(body, "Internal")};
	docker_driver(json_text_at(body, "Driver"), &network.driver);
	if (manager && strcmp(manager, "default") != 0)
		json_unconverted("IPAM.Driver", json_object_get(ipam, "Driver"), map);
	docker_network(body, json_object_get(ipam, "Config"), &api_keys, map, &network);
	serialise_network(map, &network);
}

/* Its current value, otherwise the configured one. */
static void address_take(const json_t *endpoint, struct tree *map, const char *now,
			 const char *configured, struct ip *ret)
{
	if (!json_ip_at(endpoint, now, map, ret))
		json_ip_at(json_object_get(endpoint, "IPAMConfig"), configured, map, ret);
}

static void lists_left(const json_t *endpoint, struct tree *map)
{
	const json_t *links = json_object_get(endpoint, "Links");
	const json_t *local =
		json_object_get(json_object_get(endpoint, "IPAMConfig"), "LinkLocalIPs");
	if (json_array_size(links))
		json_unconverted("Links", links, map);
	if (json_array_size(local))
		json_unconverted("LinkLocalIPs", local, map);
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
	lists_left(endpoint, map);
	serialise_attachment(map, &attachment);
}

struct tree *import_docker(const json_t *networks, const json_t *containers, struct arena *arena)
{
	static const char *const predefined[] = {"bridge", "host", "none", NULL};
	static const struct engine_words words = {
		.name = "Docker",
		.source = "docker",
		.advice = "run each of these containers with `--network none`: mvapply creates "
			  "their links; until then Docker's own links conflict with them",
		.network_name = "Name",
		.network_driver = "Driver",
		.predefined = predefined,
		.network = network_take,
		.endpoint = endpoint_take};
	json_t *routed = docker_networks_routed(networks, containers);
	json_t *ordered = docker_containers_ordered(containers, networks);
	struct tree *tree = import_engine(&words, routed, ordered, arena);
	json_decref(routed);
	json_decref(ordered);
	return tree;
}
