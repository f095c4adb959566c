/* CNI's network configurations, of the reference plugins:
 * https://www.cni.dev/docs/spec/, https://www.cni.dev/plugins/current/ */
#include "convert/import.h"

#include "convert/cni_internal.h"
#include "convert/docker_options.h"
#include "convert/import_edit.h"
#include "convert/json_read.h"
#include "convert/model_to_yaml.h"
#include "convert/yaml_tree_internal.h"
#include "schema/driver.h"
#include "schema/name_rules.h"

#include <limits.h>
#include <string.h>

/* A macvlan on the VLAN's link is the closest equivalent of the VLAN's link in the container. */
static void vlan_take(struct cni *cni, const json_t *plugin)
{
	long long id = 0;
	json_number_at(plugin, "vlanId", cni->map, 4094, &id);
	if (id < 1) {
		import_edit(cni->map, "vlan", "the configuration has no vlanId from 1 to 4094");
		return;
	}
	cni->network.vlan = (uint16_t)id;
	tree_comment(cni->map, "CNI puts the VLAN's link itself into the container; here it is a "
			       "macvlan on that link, which several containers can have");
}

/* The plugins macvlan and ipvlan ignore these keys, and attach to the untagged LAN of `master`,
 * which is probably not intended. */
static void vlan_ignored(struct cni *cni, const json_t *plugin)
{
	static const char *const words[] = {"vlanId", "vlan"};
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		const char *id = json_word_at(plugin, words[i], cni->arena);
		if (id)
			import_edit(
				cni->map, "vlan",
				"CNI's plugin ignores %s: %s; write `vlan: %s` if the containers "
				"are on that VLAN, or remove this line",
				words[i], id, id);
	}
}

static void parent_take(struct cni *cni, const json_t *plugin)
{
	const char *master = json_word_at(plugin, "master", cni->arena);
	const json_t *inside = json_object_get(plugin, "linkInContainer");
	const bool no = !inside || json_is_null(inside) || json_is_false(inside);
	if (!no)
		tree_comment(
			cni->map,
			"edit this: linkInContainer is set, and the master %s is a link in the "
			"container's network namespace: write `parent: ` and a link of the host",
			master ? master : "");
	else if (master && *master)
		cni->network.parent = master;
	else
		tree_comment(cni->map,
			     "no master is set, so CNI uses the link of the host's default route: "
			     "write `parent: ` with that link");
}

static void mac_take(struct cni *cni, const json_t *plugin)
{
	struct mac mac;
	char text[MAC_TEXT_SIZE];
	if (!json_mac_at(plugin, "mac", cni->map, &mac))
		return;
	if (cni->single)
		cni->attachment.mac = mac;
	else
		tree_comment(cni->map,
			     "the MAC address belongs to an attachment: `mac_address: %s`",
			     mac_format(&mac, text));
}

static void queue_take(struct cni *cni, const json_t *plugin)
{
	long long number;
	if (!json_number_at(plugin, "bcqueuelen", cni->map, UINT32_MAX, &number) || number <= 0)
		return;
	cni->network.has_bcqueuelen = true;
	cni->network.bcqueuelen = (uint32_t)number;
}

/* The keys that each plugin reads; other keys become comments. */
static void leftovers(struct cni *cni, const json_t *plugin, bool vlan)
{
	static const char *const of_vlan[] = {"cniVersion", "name", "type",   "master",
					      "mtu",        "ipam", "vlanId", "linkInContainer",
					      NULL};
	static const char *const of_macvlan[] = {"cniVersion", "name",   "type", "master",
						 "mode",       "mtu",    "ipam", "bcqueuelen",
						 "mac",        "vlanId", "vlan", "linkInContainer",
						 NULL};
	static const char *const of_ipvlan[] = {
		"cniVersion", "name",   "type", "master",          "mode", "mtu",
		"ipam",       "vlanId", "vlan", "linkInContainer", NULL};
	json_leftovers(plugin,
		       vlan                                   ? of_vlan
		       : cni->network.driver == DRIVER_IPVLAN ? of_ipvlan
							      : of_macvlan,
		       cni->map);
}

static void link_take(struct cni *cni, const json_t *plugin, bool vlan)
{
	parent_take(cni, plugin);
	network_mtu_at(plugin, "mtu", cni->map, &cni->network);
	if (vlan) {
		cni->network.mode = driver_info(cni->network.driver)->default_mode;
		vlan_take(cni, plugin);
	} else {
		vlan_ignored(cni, plugin);
		network_mode_at(plugin, "mode", cni->map, &cni->network);
	}
	if (driver_info(cni->network.driver)->broadcast_queue && !vlan)
		queue_take(cni, plugin);
	leftovers(cni, plugin, vlan);
}

/* "net.ipv4.conf.IFNAME.rp_filter", also with slashes, as in sysctl(8). NULL: not a sysctl of the
 * attachment's link. */
static const char *sysctl_key(struct arena *arena, const char *key)
{
	const char *hint;
	char *copy = arena_strdup(arena, key);
	if (strchr(copy, '/'))
		for (char *at = copy; (at = strpbrk(at, "./")); at++)
			*at = *at == '/' ? '.' : '/';
	return text_problem(KEY_SYSCTL, copy, &hint) ? NULL : copy;
}

static void sysctl_take(struct cni *cni, const char *name, const json_t *value)
{
	const char *key = sysctl_key(cni->arena, name);
	const char *text = json_word(value, cni->arena);
	if (!key || !text)
		json_unconverted(arena_printf(cni->arena, "the sysctl %s", name), value, cni->map);
	else if (cni->single)
		*array_push(cni->arena, cni->attachment.sysctls, cni->attachment.n_sysctls) =
			(struct sysctl){.key = key, .value = text};
	else
		tree_comment(cni->map,
			     "the sysctl %s belongs to an attachment: `sysctls: {%s: \"%s\"}`", key,
			     key, text);
}

/* The plugin `tuning`, after the one that creates the link. */
static void tuning_take(struct cni *cni, const json_t *plugin)
{
	static const char *const known[] = {"type",    "sysctl",   "mac",    "mtu",
					    "promisc", "allmulti", "txQLen", NULL};
	struct link_settings *settings = &cni->network.settings;
	long long length;
	json_each (json_object_get(plugin, "sysctl"), member)
		sysctl_take(cni, json_object_iter_key(member), json_object_iter_value(member));
	mac_take(cni, plugin);
	network_mtu_at(plugin, "mtu", cni->map, &cni->network);
	if (json_is_true(json_object_get(plugin, "promisc")))
		settings->has_promisc = settings->promisc = true;
	if (json_is_true(json_object_get(plugin, "allmulti")))
		settings->has_allmulticast = settings->allmulticast = true;
	const bool has_length = json_number_at(plugin, "txQLen", cni->map, INT_MAX, &length);
	if (has_length && length < 0) {
		json_unconverted("txQLen", json_object_get(plugin, "txQLen"), cni->map);
	} else if (has_length) {
		settings->has_txqueuelen = true;
		settings->txqueuelen = (uint32_t)length;
	}
	json_leftovers(plugin, known, cni->map);
}

static void container_put(struct cni *cni)
{
	if (!cni->containers)
		cni->containers = tree_map(cni->document, "containers");
	struct tree *container = tree_map(cni->containers, cni->name);
	tree_comment(container, "CNI does not say which container has this address: name it");
	struct tree *networks = tree_map(container, "networks");
	serialise_attachment(tree_map(networks, cni->name), &cni->attachment);
}

/* The plugin that creates the link; false: it is not supported. */
static bool plugin_take(struct cni *cni, const json_t *plugin)
{
	const char *type = json_text_at(plugin, "type");
	bool vlan = type && strcmp(type, "vlan") == 0;
	if (!vlan && !docker_driver(type, &cni->network.driver))
		return false;
	cni->map = tree_map(cni->networks, cni->name);
	link_take(cni, plugin, vlan);
	cni_ipam(cni, json_object_get(plugin, "ipam"));
	if (!vlan && cni->network.driver == DRIVER_MACVLAN)
		mac_take(cni, plugin);
	return true;
}

static void chained_take(struct cni *cni, const json_t *plugin, bool found)
{
	const char *type = json_text_at(plugin, "type");
	if (found && type && strcmp(type, "tuning") == 0)
		tuning_take(cni, plugin);
	else
		json_unconverted("a further plugin", plugin, found ? cni->map : cni->networks);
}

static bool plugins_take(struct cni *cni, const json_t *conf)
{
	static const char *const known[] = {"cniVersion", "name", "plugins", NULL};
	const json_t *plugins = json_object_get(conf, "plugins");
	bool found = false;
	for (size_t i = 0; i < json_array_size(plugins); i++) {
		const json_t *plugin = json_array_get(plugins, i);
		if (!found && plugin_take(cni, plugin))
			found = true;
		else
			chained_take(cni, plugin, found);
	}
	json_leftovers(conf, known, found ? cni->map : cni->networks);
	return found;
}

static void conf_take(struct cni *cni, const json_t *conf)
{
	const bool list = json_object_get(conf, "plugins") != NULL;
	const char *value = json_word_at(conf, "name", cni->arena);
	const char *name = value && *value ? value : "network";
	cni->network = (struct network){0};
	cni->attachment = (struct attachment){0};
	cni->pools = NULL;
	cni->n_pools = 0;
	cni->single = false;
	cni->name = name;
	for (unsigned n = 2; tree_has(cni->networks, cni->name); n++)
		cni->name = arena_printf(cni->arena, "%s-%u", name, n);
	if (strcmp(cni->name, name) != 0)
		tree_comment(cni->networks, "%s is another configuration with the name %s",
			     cni->name, name);
	if (list ? plugins_take(cni, conf) : plugin_take(cni, conf)) {
		serialise_network(cni->map, &cni->network);
		if (cni->single)
			container_put(cni);
	} else if (!list) {
		tree_comment(cni->networks, "%s: a network of the plugin %s is not converted",
			     cni->name,
			     json_text_at(conf, "type") ? json_text_at(conf, "type") : "?");
	}
}

/* All of them as configurations; the caller releases the result with json_decref. */
static json_t *confs_read(const json_t *documents, struct tree *at)
{
	json_t *confs = json_array();
	for (size_t i = 0; i < json_array_size(documents); i++) {
		json_t *document = json_array_get(documents, i);
		if (!json_object_get(document, "kind"))
			json_array_append(confs, document);
		else if (!cni_definitions(document, confs, at))
			json_unconverted("a document", document, at);
	}
	return confs;
}

struct tree *import_cni(const json_t *documents, struct arena *arena)
{
	struct tree *document = tree_new(arena);
	struct cni cni = {
		.arena = arena, .document = document, .networks = tree_map(document, "networks")};
	json_t *confs = confs_read(documents, cni.networks);
	for (size_t i = 0; i < json_array_size(confs); i++) {
		json_t *conf = cni_canonical(json_array_get(confs, i));
		conf_take(&cni, conf);
		json_decref(conf);
	}
	json_decref(confs);
	return document;
}
