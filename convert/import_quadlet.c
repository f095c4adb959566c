/* Podman's Quadlet files, `.network` and `.container` (podman-systemd.unit(5)), converted to the
 * descriptions in libpod's API of the networks and containers that they create. */
#include "convert/import.h"

#include "convert/json_read.h"
#include "convert/unit_file.h"
#include "schema/source_text.h"

#include <string.h>
#include <strings.h>

static const char *value_at(const json_t *section, const char *key, size_t index)
{
	return json_string_value(json_array_get(json_object_get(section, key), index));
}

static size_t values_count(const json_t *section, const char *key)
{
	return json_array_size(json_object_get(section, key));
}

/* systemd takes the last of several values. */
static const char *last_value(const json_t *section, const char *key)
{
	const size_t count = values_count(section, key);
	return count ? value_at(section, key, count - 1) : NULL;
}

static bool is_true(const json_t *section, const char *key)
{
	const char *text = last_value(section, key);
	return text && (strcasecmp(text, "true") == 0 || strcasecmp(text, "yes") == 0 ||
			strcasecmp(text, "on") == 0 || strcmp(text, "1") == 0);
}

static void put(json_t *object, const char *key, const char *text)
{
	if (text)
		json_object_set_new(object, key, json_string(text));
}

/* Adds "a=b,c=d" to the object; a word without a value is true. */
static void pairs_put(json_t *object, const char *text)
{
	for (size_t length; *text; text += length + (text[length] != '\0')) {
		length = strcspn(text, ", ");
		const size_t key = strcspn(text, "=");
		const bool pair = key < length;
		json_t *name = json_stringn(text, pair ? key : length);
		json_t *value = pair ? json_stringn(text + key + 1, length - key - 1) : json_true();
		if (length && name && value)
			json_object_set(object, json_string_value(name), value);
		json_decref(name);
		json_decref(value);
	}
}

static json_t *options_of(const json_t *network)
{
	json_t *options = json_object();
	for (size_t i = 0; i < values_count(network, "Options"); i++)
		pairs_put(options, value_at(network, "Options", i));
	return options;
}

/* "10.0.0.20-10.0.0.40" or a prefix; NULL: neither. */
static json_t *lease_range(const char *text, struct arena *arena)
{
	const char *dash = strchr(text, '-');
	struct prefix prefix;
	char from[IP_TEXT_SIZE], to[IP_TEXT_SIZE];
	if (dash)
		return json_pack("{s:s, s:s}", "start_ip",
				 arena_strndup(arena, text, (size_t)(dash - text)), "end_ip",
				 dash + 1);
	if (!prefix_parse(text, &prefix))
		return NULL;
	const struct ip first = prefix_first(&prefix), last = prefix_last(&prefix);
	return json_pack("{s:s, s:s}", "start_ip", ip_format(&first, from), "end_ip",
			 ip_format(&last, to));
}

/* Podman takes the subnet's first address if there is no explicit gateway. */
static void gateway_put(json_t *subnet, const char *text)
{
	struct prefix prefix;
	char first[IP_TEXT_SIZE];
	if (prefix_parse(text, &prefix)) {
		prefix.ip = prefix_first(&prefix);
		prefix.ip = ip_next(prefix.ip);
		put(subnet, "gateway", ip_format(&prefix.ip, first));
	}
}

/* The lines Subnet=, Gateway= and IPRange= correspond by their order. */
static json_t *subnets_of(const json_t *network, struct arena *arena)
{
	json_t *subnets = json_array();
	for (size_t i = 0; i < values_count(network, "Subnet"); i++) {
		const char *gateway = value_at(network, "Gateway", i);
		const char *range = value_at(network, "IPRange", i);
		json_t *subnet = json_object();
		put(subnet, "subnet", value_at(network, "Subnet", i));
		if (gateway)
			put(subnet, "gateway", gateway);
		else if (!is_true(network, "Internal"))
			gateway_put(subnet, value_at(network, "Subnet", i));
		json_t *leases = range ? lease_range(range, arena) : NULL;
		if (range)
			json_object_set_new(subnet, leases ? "lease_range" : "IPRange",
					    leases ? leases : json_string(range));
		json_array_append_new(subnets, subnet);
	}
	return subnets;
}

/* "lan" of "/etc/containers/systemd/lan.network"; NULL: another ending. */
static const char *file_stem(const char *file, const char *ending, struct arena *arena)
{
	const char *slash = strrchr(file, '/'), *name = slash ? slash + 1 : file;
	const size_t length = strlen(name), tail = strlen(ending);
	if (length <= tail || strcmp(name + length - tail, ending) != 0)
		return NULL;
	return arena_strndup(arena, name, length - tail);
}

static json_t *network_of(const json_t *network, const char *name, struct arena *arena)
{
	static const char *const read[] = {"NetworkName", "Driver",   "Subnet",  "Gateway",
					   "IPRange",     "Internal", "Options", "InterfaceName",
					   "IPAMDriver",  NULL};
	json_t *body = json_object(), *options = options_of(network);
	const char *interface = last_value(network, "InterfaceName");
	put(body, "name", name);
	put(body, "driver", last_value(network, "Driver"));
	put(body, "network_interface", interface ? interface : json_text_at(options, "parent"));
	json_object_set_new(body, "internal", json_boolean(is_true(network, "Internal")));
	json_object_set_new(body, "subnets", subnets_of(network, arena));
	json_object_set_new(body, "options", options);
	if (last_value(network, "IPAMDriver"))
		json_object_set_new(
			body, "ipam_options",
			json_pack("{s:s}", "driver", last_value(network, "IPAMDriver")));
	json_each (network, member)
		if (!json_key_among(read, json_object_iter_key(member)))
			json_object_set(body, json_object_iter_key(member),
					json_object_iter_value(member));
	return body;
}

/* One line Network=: "lan.network:ip=10.0.0.5,mac=..". `names`: of the networks, by file. */
static void endpoint_put(json_t *endpoints, const char *text, const json_t *names,
			 struct arena *arena)
{
	const size_t length = strcspn(text, ":");
	const char *file = arena_strndup(arena, text, length);
	const char *name = json_text_at(names, file);
	json_t *pairs = json_object(), *endpoint = json_object();
	if (text[length])
		pairs_put(pairs, text + length + 1);
	json_each (pairs, member) {
		const char *key = json_object_iter_key(member);
		const char *value = json_string_value(json_object_iter_value(member));
		struct ip ip;
		if (strcmp(key, "ip") == 0 || strcmp(key, "ip6") == 0)
			key = value && ip_parse(value, &ip) && ip.family == AF_INET6
				      ? "GlobalIPv6Address"
				      : "IPAddress";
		else if (strcmp(key, "mac") == 0)
			key = "MacAddress";
		json_object_set(endpoint, key, json_object_iter_value(member));
	}
	json_object_set_new(endpoints, name ? name : file, endpoint);
	json_decref(pairs);
}

/* The declarations of the units so far. */
struct quadlet {
	struct arena *arena;
	json_t *networks, *containers;
	json_t *names;         /* of the networks, by file */
	struct tree *comments; /* what is not converted, of all units */
};

/* "web: Pod=web.pod is not converted: REASON", for each value. */
static void values_note(struct quadlet *quadlet, const char *name, const json_t *section,
			const char *key, const char *reason)
{
	for (size_t i = 0; i < values_count(section, key); i++)
		tree_comment(quadlet->comments, "%s: %s=%s is not converted: %s", name, key,
			     value_at(section, key, i), reason);
}

/* Podman's own names of networks, and other ways to one. */
static bool is_of_podman(const char *network)
{
	static const char *const words[] = {"podman",      "host",  "none",    "bridge",
					    "slirp4netns", "pasta", "private", NULL};
	const char *dot = strrchr(network, '.');
	return json_key_among(words, network) || strcmp(network, "ns") == 0 ||
	       strcmp(network, "container") == 0 || (dot && strcmp(dot, ".container") == 0);
}

static bool is_declared(const struct quadlet *quadlet, const char *network)
{
	for (size_t i = 0; i < json_array_size(quadlet->networks); i++)
		if (strcmp(json_text_at(json_array_get(quadlet->networks, i), "name"), network) ==
		    0)
			return true;
	return is_of_podman(network);
}

/* Options of podman-run(1) that concern networks. */
static void arguments_note(struct quadlet *quadlet, const char *name, const json_t *section)
{
	static const char *const options[] = {"--net", "--ip", "--mac-address"};
	for (size_t i = 0; i < values_count(section, "PodmanArgs"); i++)
		for (size_t k = 0; k < sizeof(options) / sizeof(options[0]); k++)
			if (strstr(value_at(section, "PodmanArgs", i), options[k])) {
				tree_comment(quadlet->comments,
					     "%s: PodmanArgs=%s is not converted: write its "
					     "networks and addresses here",
					     name, value_at(section, "PodmanArgs", i));
				break;
			}
}

static void container_note(struct quadlet *quadlet, const char *name, const json_t *section,
			   const json_t *endpoints)
{
	values_note(quadlet, name, section, "Pod",
		    "the container is in the network namespace of that pod");
	arguments_note(quadlet, name, section);
	json_each (endpoints, member)
		if (!is_declared(quadlet, json_object_iter_key(member)))
			tree_comment(quadlet->comments,
				     "%s: its network %s is in none of these files: import them "
				     "together, or `mvapply import podman`",
				     name, json_object_iter_key(member));
	if (json_object_size(endpoints) == 1)
		return;
	values_note(quadlet, name, section, "IP", "the container does not have one network");
	values_note(quadlet, name, section, "IP6", "the container does not have one network");
}

/* "a=1 b=2" of each line. */
static json_t *sysctls_of(const json_t *section, struct arena *arena)
{
	json_t *sysctls = json_array();
	for (size_t i = 0; i < values_count(section, "Sysctl"); i++)
		for (const char *text = value_at(section, "Sysctl", i); *text;) {
			const size_t length = strcspn(text, " ");
			json_array_append_new(sysctls,
					      json_string(arena_strndup(arena, text, length)));
			text += length + strspn(text + length, " ");
		}
	return sysctls;
}

static json_t *container_of(struct quadlet *quadlet, const json_t *section, const char *name)
{
	json_t *endpoints = json_object();
	for (size_t i = 0; i < values_count(section, "Network"); i++)
		endpoint_put(endpoints, value_at(section, "Network", i), quadlet->names,
			     quadlet->arena);
	if (json_object_size(endpoints) == 1) {
		json_t *endpoint = json_object_iter_value(json_object_iter(endpoints));
		put(endpoint, "IPAddress", last_value(section, "IP"));
		put(endpoint, "GlobalIPv6Address", last_value(section, "IP6"));
	}
	container_note(quadlet, name, section, endpoints);
	return json_pack("{s:s, s:{s:o}, s:{s:o}}", "Name", name, "NetworkSettings", "Networks",
			 endpoints, "HostConfig", "Sysctls", sysctls_of(section, quadlet->arena));
}

static void network_take(struct quadlet *quadlet, const json_t *section, const char *stem,
			 const char *name)
{
	json_array_append_new(quadlet->networks, network_of(section, name, quadlet->arena));
	put(quadlet->names, arena_printf(quadlet->arena, "%s.network", stem), name);
}

static void container_take(struct quadlet *quadlet, const json_t *section, const char *stem,
			   const char *name)
{
	(void)stem;
	json_array_append_new(quadlet->containers, container_of(quadlet, section, name));
}

/* A unit whose containers share a network namespace. */
static void pod_take(struct quadlet *quadlet, const json_t *section, const char *stem,
		     const char *name)
{
	static const char reason[] = "declare the pod's infra container (`podman: POD-infra`), in "
				     "whose network namespace all of its containers are";
	static const char *const keys[] = {"Network", "IP", "IP6", "PodmanArgs"};
	(void)stem;
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		values_note(quadlet, name, section, keys[i], reason);
}

/* The kinds of unit, networks first: containers refer to them. */
static const struct unit_kind {
	const char *ending, *section;
	const char *name; /* the key of the name; without it Quadlet uses "systemd-STEM" */
	void (*take)(struct quadlet *quadlet, const json_t *section, const char *stem,
		     const char *name);
} kinds[] = {{".network", "Network", "NetworkName", network_take},
	     {".container", "Container", "ContainerName", container_take},
	     {".pod", "Pod", "PodName", pod_take},
	     {".kube", "Kube", "", pod_take}};

static void unit_take(struct quadlet *quadlet, const struct unit_kind *kind,
		      const struct input *input)
{
	const char *stem = file_stem(input->file, kind->ending, quadlet->arena);
	if (!stem)
		return;
	json_t *unit = unit_file_read(input->bytes, input->size);
	const json_t *section = json_object_get(unit, kind->section);
	const char *value = last_value(section, kind->name);
	kind->take(quadlet, section, stem,
		   value ? value : arena_printf(quadlet->arena, "systemd-%s", stem));
	json_decref(unit);
}

static void comment_copy(const char *place, const char *text, void *data)
{
	(void)place;
	tree_comment(data, "%s", text);
}

struct tree *import_quadlet(const struct input *inputs, size_t count, struct arena *arena)
{
	struct quadlet quadlet = {.arena = arena,
				  .networks = json_array(),
				  .containers = json_array(),
				  .names = json_object(),
				  .comments = tree_new(arena)};
	for (size_t kind = 0; kind < sizeof(kinds) / sizeof(kinds[0]); kind++)
		for (size_t i = 0; i < count; i++)
			unit_take(&quadlet, &kinds[kind], &inputs[i]);
	struct tree *tree = import_podman(quadlet.networks, quadlet.containers, arena);
	tree_each_comment(quadlet.comments, comment_copy, tree);
	json_decref(quadlet.networks);
	json_decref(quadlet.containers);
	json_decref(quadlet.names);
	return tree;
}
