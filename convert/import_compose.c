/* Compose files: https://github.com/compose-spec/compose-spec */
#include "convert/import.h"

#include "convert/compose_services.h"
#include "convert/docker_options.h"
#include "convert/import_edit.h"
#include "convert/json_read.h"
#include "convert/model_to_yaml.h"
#include "convert/yaml_tree_internal.h"

#include <string.h>

static const struct docker_keys compose_keys = {.options = "driver_opts",
						.subnet = "subnet",
						.gateway = "gateway",
						.range = "ip_range",
						.aux = "aux_addresses",
						.ipv4 = "enable_ipv4",
						.ipv6 = "enable_ipv6"};

static bool is_external(const json_t *network)
{
	const json_t *external = json_object_get(network, "external");
	return json_is_object(external) || json_is_yes(network, "external");
}

/* Docker's name of the network. */
static const char *engine_name(const struct compose_project *project, const char *name,
			       const json_t *body, struct arena *arena)
{
	const char *own = json_text_at(body, "name");
	const char *external = json_text_at(json_object_get(body, "external"), "name");
	own = external ? external : own;
	if (own)
		return arena_strdup(arena, own);
	return is_external(body) ? name : arena_printf(arena, "%s_%s", project->name, name);
}

/* The networks of services that Compose starts, as a set. */
static json_t *used_networks(const struct compose_project *project, struct arena *arena)
{
	json_t *used = json_object();
	json_each (json_object_get(project->root, "services"), member) {
		const json_t *service = json_object_iter_value(member);
		json_t *networks = compose_service_networks(service);
		if (!compose_service_idle(project, service, arena))
			json_object_update(used, networks);
		json_decref(networks);
	}
	return used;
}

/* The Compose file has only its name. */
static void external_take(struct tree *to, const struct compose_network *network)
{
	struct tree *map = tree_map(to, network->name);
	import_edit(
		map, "subnet",
		"a Compose file does not say what an external network is: write `driver`, "
		"`parent`, `subnet` and `gateway` as `docker network inspect %s` shows them, or "
		"copy the network from `mvapply import docker`; remove it here and in the "
		"containers if it is neither macvlan nor ipvlan",
		network->engine);
}

static bool external_left(struct tree *to, const struct compose_network *network, bool used)
{
	static const char *const predefined[] = {"bridge", "host", "none", NULL};
	if (json_key_among(predefined, network->engine))
		tree_comment(to, "%s is Docker's own network %s, and is left to Docker",
			     network->name, network->engine);
	else if (!used)
		tree_comment(to,
			     "%s is external, and no service is on it: `mvapply import docker` "
			     "reads it from the engine",
			     network->name);
	else
		return false;
	return true;
}

static void network_convert(struct tree *to, const json_t *body, struct network *network)
{
	static const char *const known[] = {"driver",      "driver_opts", "ipam",
					    "internal",    "external",    "name",
					    "enable_ipv4", "enable_ipv6", NULL};
	static const char *const ipam_known[] = {"config", "driver", NULL};
	struct tree *map = tree_map(to, network->name);
	const json_t *ipam = json_object_get(body, "ipam");
	const char *manager = json_text_at(ipam, "driver");
	network->internal = json_is_yes(body, "internal");
	if (manager && strcmp(manager, "default") != 0)
		json_unconverted("ipam.driver", json_object_get(ipam, "driver"), map);
	if (json_text_at(body, "name"))
		tree_comment(map, "its name in Docker is %s", json_text_at(body, "name"));
	json_leftovers(ipam, ipam_known, map);
	json_leftovers(body, known, map);
	docker_network(body, json_object_get(ipam, "config"), &compose_keys, map, network);
	serialise_network(map, network);
}

/* Docker takes the first address where no gateway is set, or none: a way out for the order. */
static unsigned ways_out(const struct network *network)
{
	bool families[2] = {false, false};
	for (size_t i = 0; i < network->n_subnets; i++)
		families[network->subnets[i].prefix.ip.family == AF_INET6] = true;
	return (unsigned)families[0] + families[1];
}

static void network_take(struct tree *to, struct compose_network *network, const json_t *body,
			 bool used)
{
	const char *driver = json_text_at(body, "driver");
	struct network declared = {.name = network->name};
	network->gateways = json_is_yes(body, "enable_ipv6") ? 2 : 1;
	network->internal = json_is_yes(body, "internal");
	if (is_external(body)) {
		if (external_left(to, network, used))
			return;
		external_take(to, network);
	} else if (docker_driver(driver, &declared.driver)) {
		network_convert(to, body, &declared);
		network->gateways = ways_out(&declared);
	} else {
		tree_comment(to, "%s: its driver %s is left to Docker", network->name,
			     driver ? driver : "bridge");
		return;
	}
	network->kind = NETWORK_CONVERTED;
}

static struct compose_networks networks_take(const struct compose_project *project,
					     struct tree *document)
{
	struct tree *to = tree_map(document, "networks");
	struct compose_networks networks = {.numbers = json_object()};
	json_t *used = used_networks(project, document->arena);
	json_each (json_object_get(project->root, "networks"), member) {
		const char *name = json_object_iter_key(member);
		const json_t *body = json_object_iter_value(member);
		struct compose_network network = {
			.name = arena_strdup(document->arena, name),
			.engine = engine_name(project, name, body, document->arena)};
		network_take(to, &network, body, json_object_get(used, name) != NULL);
		json_object_set_new(networks.numbers, name,
				    json_integer((json_int_t)networks.count));
		*array_push(document->arena, networks.items, networks.count) = network;
	}
	json_decref(used);
	return networks;
}

static void notes_put(const struct compose_project *project, struct tree *document)
{
	static const char *const known[] = {"name", "services", "networks", NULL};
	for (size_t i = 0; i < project->n_notes; i++)
		tree_comment(document, "edit this: %s", project->notes[i]);
	json_leftovers(project->root, known, document);
}

struct tree *import_compose(const struct compose_source *source, struct arena *arena,
			    struct error *error)
{
	struct compose_project project;
	if (compose_project_read(source, arena, &project, error) < 0)
		return NULL;
	struct tree *document = tree_new(arena);
	tree_text(document, "name", project.name);
	notes_put(&project, document);
	const struct compose_networks networks = networks_take(&project, document);
	compose_services(&project, &networks, document);
	json_decref(networks.numbers);
	json_decref(project.root);
	json_decref(project.profiles);
	return document;
}
