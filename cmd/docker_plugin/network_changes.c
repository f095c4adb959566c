#include "cmd/docker_plugin/network_changes.h"

#include "cmd/docker_plugin/gateway.h"
#include "container_engine/json.h"

#include <string.h>

/* The label's value; NULL: the plugin has not created the network. */
static const char *label_of(const json_t *item)
{
	const char *driver = engine_json_text(item, "Driver");
	return driver && strcmp(driver, "mvapply") == 0
		       ? engine_json_text(json_object_get(item, "Labels"), DOCKER_NETWORK_LABEL)
		       : NULL;
}

/* A set that is not loaded keeps its objects. */
static bool set_is_loaded(const struct desired *desired, const char *label)
{
	for (size_t i = 0; i < desired->n_sets; i++) {
		const size_t length = strlen(desired->sets[i].name);
		if (strncmp(desired->sets[i].name, label, length) == 0 && label[length] == '/')
			return true;
	}
	return false;
}

/* Without one that Docker can have, it shows none, or the one that the plugin answered. */
static bool gateway_equal(const struct subnet *subnet, const json_t *config)
{
	struct ip ip = {0};
	const char *text = engine_json_text(config, "Gateway");
	if (text && *text && !ip_parse(text, &ip))
		return false;
	const struct ip expected = docker_gateway(subnet);
	return ip_equal(&ip, &expected) || (!ip.family && !docker_has_gateway(subnet));
}

static bool subnet_shown(const struct subnet *subnet, const json_t *configs)
{
	const json_t *config;
	size_t i;
	json_array_foreach(configs, i, config)
	{
		struct prefix prefix;
		const char *text = engine_json_text(config, "Subnet");
		if (text && prefix_parse(text, &prefix) && prefix_equal(&prefix, &subnet->prefix))
			return gateway_equal(subnet, config);
	}
	return false;
}

static bool subnets_equal(const struct network *network, const json_t *item)
{
	const json_t *configs = json_object_get(json_object_get(item, "IPAM"), "Config");
	if (json_array_size(configs) != network->n_subnets)
		return false;
	for (size_t i = 0; i < network->n_subnets; i++)
		if (!subnet_shown(&network->subnets[i], configs))
			return false;
	return true;
}

static bool is_current(const struct network_change *declared, const json_t *item,
		       struct arena *arena)
{
	const char *label =
		arena_printf(arena, "%s/%s", declared->set->name, declared->network->name);
	return strcmp(label_of(item), label) == 0 && subnets_equal(declared->network, item);
}

/* The networks of the files with `docker:`. */
static struct network_changes declared_find(const struct desired *desired, struct arena *arena)
{
	struct network_changes declared = {0};
	for (size_t s = 0; s < desired->n_sets; s++)
		for (size_t i = 0; i < desired->sets[s].n_networks; i++) {
			const struct network *network = &desired->sets[s].networks[i];
			if (network->docker)
				*array_push(arena, declared.items, declared.count) =
					(struct network_change){.name = network->docker,
								.set = &desired->sets[s],
								.network = network};
		}
	return declared;
}

static const struct network_change *named(const struct network_changes *changes, const char *name)
{
	for (size_t i = 0; i < changes->count; i++)
		if (strcmp(changes->items[i].name, name) == 0)
			return &changes->items[i];
	return NULL;
}

static bool docker_has(const json_t *networks, const char *name)
{
	const json_t *item;
	size_t i;
	json_array_foreach(networks, i, item)
	{
		const char *existing = engine_json_text(item, "Name");
		if (existing && strcmp(existing, name) == 0)
			return true;
	}
	return false;
}

/* Removals and replacements come first: a renamed network has the subnet of the old one. */
struct network_changes network_changes_find(const struct desired *desired, const json_t *networks,
					    struct arena *arena)
{
	const struct network_changes declared = declared_find(desired, arena);
	struct network_changes changes = {0};
	const json_t *item;
	size_t i;
	json_array_foreach(networks, i, item)
	{
		const char *label = label_of(item), *name = engine_json_text(item, "Name"),
			   *id = engine_json_text(item, "Id");
		if (!label || !name || !id || !set_is_loaded(desired, label))
			continue;
		const struct network_change *found = named(&declared, name);
		if (found && is_current(found, item, arena))
			continue;
		*array_push(arena, changes.items, changes.count) =
			(struct network_change){.name = arena_strdup(arena, name),
						.id = arena_strdup(arena, id),
						.set = found ? found->set : NULL,
						.network = found ? found->network : NULL};
	}
	for (i = 0; i < declared.count; i++)
		if (!docker_has(networks, declared.items[i].name))
			*array_push(arena, changes.items, changes.count) = declared.items[i];
	return changes;
}
