/* Compose files: https://github.com/compose-spec/compose-spec */
#include "convert/import.h"

#include "convert/docker_options.h"
#include "convert/json_read.h"
#include "convert/model_to_yaml.h"
#include "convert/yaml_tree_internal.h"

#include <limits.h>
#include <string.h>

static const struct docker_keys compose_keys = {.options = "driver_opts",
						.subnet = "subnet",
						.gateway = "gateway",
						.range = "ip_range",
						.aux = "aux_addresses"};

struct compose {
	struct arena *arena;
	json_t *root;
	const char *project;
	json_t *networks; /* those that are converted, as a set of names */
};

static bool is_external(const json_t *network)
{
	const json_t *external = json_object_get(network, "external");
	return json_is_object(external) || json_says_yes(network, "external");
}

static void network_left(struct tree *to, const char *name, const json_t *network)
{
	const char *driver = json_text_at(network, "driver");
	if (is_external(network))
		tree_comment(to, "%s is external: `mvapply import docker` reads it from the engine",
			     name);
	else
		tree_comment(to, "%s: its driver %s is left to Docker", name,
			     driver ? driver : "bridge");
}

static void network_take(struct compose *compose, struct tree *to, const char *name,
			 const json_t *body)
{
	static const char *const known[] = {
		"driver",      "driver_opts", "ipam",       "internal", "external", "name",
		"enable_ipv4", "enable_ipv6", "attachable", "labels",   NULL};
	static const char *const ipam_known[] = {"config", "driver", NULL};
	struct network network = {.name = name};
	if (is_external(body) || !docker_driver(json_text_at(body, "driver"), &network.driver)) {
		network_left(to, name, body);
		return;
	}
	struct tree *map = tree_map(to, name);
	const json_t *ipam = json_object_get(body, "ipam");
	const char *manager = json_text_at(ipam, "driver");
	network.internal = json_says_yes(body, "internal");
	if (manager && strcmp(manager, "default") != 0)
		json_left("ipam.driver", json_object_get(ipam, "driver"), map);
	json_leftovers(ipam, ipam_known, map);
	json_leftovers(body, known, map);
	docker_network(body, json_object_get(ipam, "config"), &compose_keys, map, &network);
	serialise_network(map, &network);
	json_object_set_new(compose->networks, name, json_true());
}

static void networks_take(struct compose *compose, struct tree *document)
{
	struct tree *to = tree_map(document, "networks");
	json_each (json_object_get(compose->root, "networks"), member)
		network_take(compose, to, json_object_iter_key(member),
			     json_object_iter_value(member));
}

static void attachment_take(struct tree *map, const json_t *body, const json_t *service)
{
	static const char *const known[] = {
		"ipv4_address", "ipv6_address", "mac_address", "interface_name",
		"gw_priority",  "driver_opts",  "aliases",     NULL};
	struct attachment attachment = {0};
	long long priority;
	json_ip_at(body, "ipv4_address", map, &attachment.ipv4);
	json_ip_at(body, "ipv6_address", map, &attachment.ipv6);
	if (!json_mac_at(body, "mac_address", map, &attachment.mac))
		json_mac_at(service, "mac_address", map, &attachment.mac);
	attachment.interface_name = json_word_at(body, "interface_name", map->arena);
	if (json_number_at(body, "gw_priority", map, INT_MAX, &priority))
		attachment.gw_priority = (int)priority;
	docker_endpoint(json_object_get(body, "driver_opts"), map, &attachment);
	json_leftovers(body, known, map);
	if (json_object_get(body, "aliases"))
		tree_comment(
			map,
			"aliases are names in Docker's DNS, which is not available on this network");
	serialise_attachment(map, &attachment);
}

/* The first text in which Compose would replace a variable ($$ stands for a dollar), or NULL. */
static const char *variable_in(const json_t *json)
{
	const char *found = NULL, *text = json_string_value(json);
	for (; text && (text = strchr(text, '$')); text += 2)
		if (text[1] != '$')
			return json_string_value(json);
	for (size_t i = 0; !found && i < json_array_size(json); i++)
		found = variable_in(json_array_get(json, i));
	json_each (json, member)
		found = found ? found : variable_in(json_object_iter_value(member));
	return found;
}

/* What of a service is read here. */
static const char *service_variable(const json_t *service)
{
	static const char *const keys[] = {"networks",       "network_mode", "mac_address",
					   "container_name", "scale",        "deploy"};
	const char *found = NULL;
	for (size_t i = 0; !found && i < sizeof(keys) / sizeof(keys[0]); i++)
		found = variable_in(json_object_get(service, keys[i]));
	return found;
}

/* What Compose itself makes of a file before it reads what it says. */
static void whole_left(const struct compose *compose, struct tree *document)
{
	const char *variable = variable_in(json_object_get(compose->root, "networks"));
	json_each (json_object_get(compose->root, "services"), member)
		variable = variable ? variable : service_variable(json_object_iter_value(member));
	if (variable)
		tree_comment(
			document,
			"%s has a variable, which is not expanded: `docker compose -f FILE config | mvapply import compose -` expands it",
			variable);
	if (json_object_get(compose->root, "include"))
		json_left("include", json_object_get(compose->root, "include"), document);
}

/* `networks` of a service, a list of names or a map, as a map; "default" where it has none. */
static json_t *service_networks(const json_t *service)
{
	json_t *declared = json_object_get(service, "networks");
	json_t *map = json_object();
	if (json_is_object(declared))
		json_object_update(map, declared);
	for (size_t i = 0; i < json_array_size(declared); i++)
		if (json_is_string(json_array_get(declared, i)))
			json_object_set_new(map, json_string_value(json_array_get(declared, i)),
					    json_null());
	if (!declared && !json_object_get(service, "network_mode"))
		json_object_set_new(map, "default", json_null());
	return map;
}

static size_t converted_count(const struct compose *compose, const json_t *networks)
{
	size_t count = 0;
	json_each (networks, member)
		count += json_object_get(compose->networks, json_object_iter_key(member)) != NULL;
	return count;
}

static void source_take(const struct compose *compose, struct tree *map, const char *name,
			const json_t *service)
{
	const char *own = json_text_at(service, "container_name");
	struct container container = {
		.name = name,
		.source_kind = SOURCE_DOCKER,
		.source =
			own ? own : arena_printf(compose->arena, "%s/%s", compose->project, name)};
	const char *scale = json_word_at(service, "scale", compose->arena);
	const char *replicas =
		json_word_at(json_object_get(service, "deploy"), "replicas", compose->arena);
	replicas = replicas ? replicas : scale;
	if (replicas && strcmp(replicas, "1") != 0)
		tree_comment(
			map,
			"the service runs as %s containers, and an attachment belongs to one: declare each by its name (`docker: %s-%s-1`)",
			replicas, compose->project, name);
	serialise_source(map, &container);
}

static void service_take(const struct compose *compose, struct tree *to, const char *name,
			 const json_t *service)
{
	json_t *networks = service_networks(service);
	size_t converted = converted_count(compose, networks);
	const char *mode = json_text_at(service, "network_mode");
	if (!converted) {
		if (mode)
			tree_comment(to, "%s: its network_mode %s is left to Docker", name, mode);
		else if (json_object_get(service, "extends"))
			tree_comment(to,
				     "%s extends another service and declares no network itself",
				     name);
		else
			tree_comment(to, "%s is on none of these networks", name);
		json_decref(networks);
		return;
	}
	struct tree *map = tree_map(to, name);
	if (json_object_get(service, "extends"))
		json_left("extends", json_object_get(service, "extends"), map);
	source_take(compose, map, name, service);
	struct tree *attachments = tree_map(map, "networks");
	json_each (networks, member) {
		const char *key = json_object_iter_key(member);
		if (json_object_get(compose->networks, key))
			attachment_take(tree_map(attachments, key), json_object_iter_value(member),
					converted == 1 ? service : NULL);
		else
			tree_comment(attachments, "%s is left to Docker", key);
	}
	if (converted > 1 && json_object_get(service, "mac_address"))
		json_left("mac_address", json_object_get(service, "mac_address"), map);
	json_decref(networks);
}

static void services_take(const struct compose *compose, struct tree *document)
{
	const json_t *services = json_object_get(compose->root, "services");
	if (!json_object_size(services))
		return;
	struct tree *to = tree_map(document, "containers");
	tree_comment(
		to,
		"set `network_mode: none` for each of these services in the Compose file: mvapply creates their links");
	json_each (services, member)
		service_take(compose, to, json_object_iter_key(member),
			     json_object_iter_value(member));
}

struct tree *import_compose(const struct node *root, const char *project, struct arena *arena)
{
	struct compose compose = {
		.arena = arena, .root = json_of_node(root), .networks = json_object()};
	struct tree *document = tree_new(arena);
	const char *name = json_text_at(compose.root, "name");
	compose.project = arena_strdup(arena, name ? name : project);
	tree_text(document, "name", compose.project);
	whole_left(&compose, document);
	networks_take(&compose, document);
	services_take(&compose, document);
	json_decref(compose.root);
	json_decref(compose.networks);
	return document;
}
