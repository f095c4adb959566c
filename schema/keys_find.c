#include "lib/did_you_mean.h"
#include "schema/keys.h"

#include <string.h>

#define ENGINE_HINT                                                                                \
	"it belongs to the engine: keep it in the Compose file or the run command, and name the "  \
	"container here with `docker:` or `podman:`"

/* Keys of Compose and of the docker command that have another form here, or none. */
static const struct {
	const char *name, *hint;
} other_tools_keys[] = {
	{"mvapply_plan", "this is a saved plan: `mvapply apply FILE`, without -f"},
	{"services", "write `containers` instead of Compose's `services`"},
	{"version", "remove it: a configuration has no version"},
	{"ipam", "write subnet, gateway, ip_range and aux_addresses directly under the network"},
	{"config", "write subnet, gateway, ip_range and aux_addresses directly under the network"},
	{"driver_opts", "write parent, mode and other options directly under the network"},
	{"options", "write the options here, without `options`"},
	{"ipvlan_mode", "the key is `mode`"},
	{"macvlan_mode", "the key is `mode`"},
	{"vlan_id", "the key is `vlan`"},
	{"aux_address", "the key is `aux_addresses`, a map of names to addresses"},
	{"enable_ipv6", "remove it: an IPv6 subnet in `subnets` is enough"},
	{"enable_ipv4", "remove it: an IPv4 subnet in `subnets` is enough"},
	{"mac", "the key is `mac_address`"},
	{"ip", "the key is `ipv4_address` or `ipv6_address`"},
	{"ip6", "the key is `ipv6_address`"},
	{"ip_address", "the key is `ipv4_address` or `ipv6_address`"},
	{"address", "the key is `ipv4_address` or `ipv6_address`"},
	{"addresses", "the keys are `ipv4_address` and `ipv6_address`"},
	{"container_name", "write `docker: NAME` or `podman: NAME`"},
	{"network_mode", "write `networks: [NAME]`"},
	{"network", "write `networks: [NAME]`"},
	{"priority", "the key is `gw_priority`"},
	{"ifname", "the key is `interface_name`"},
	{"ports", "remove it: each port of a container is reachable at its address on the LAN"},
	{"expose", "remove it: each port of a container is reachable at its address on the LAN"},
	{"image", ENGINE_HINT},
	{"build", ENGINE_HINT},
	{"command", ENGINE_HINT},
	{"entrypoint", ENGINE_HINT},
	{"environment", ENGINE_HINT},
	{"env_file", ENGINE_HINT},
	{"volumes", ENGINE_HINT},
	{"restart", ENGINE_HINT},
	{"depends_on", ENGINE_HINT},
	{"labels", ENGINE_HINT},
	{"hostname", ENGINE_HINT},
	{"dns", ENGINE_HINT},
	{"cap_add", ENGINE_HINT},
	{"privileged", ENGINE_HINT},
	{"links", "remove it: containers of one network reach each other at their addresses"},
	{"aliases", "remove it: mvapply gives containers no DNS names"},
	{"external", "remove it: networks are created by mvapply, not by the engine"},
	{"attachable", "remove it: networks are created by mvapply, not by the engine"},
};

static const struct object *const objects[] = {
	&document_object,  &network_object,    &subnet_object, &host_object,
	&container_object, &attachment_object, &route_object,
};

const struct key *key_find(const struct object *object, const char *name)
{
	for (size_t i = 0; i < object->n_keys; i++)
		if (strcmp(object->keys[i].name, name) == 0)
			return &object->keys[i];
	return NULL;
}

/* The other objects with the key, or NULL. */
static const char *hint_objects(const char *name, struct arena *arena)
{
	const char *where = NULL;
	for (size_t i = 0; i < sizeof(objects) / sizeof(*objects); i++)
		if (key_find(objects[i], name))
			where = where ? arena_printf(arena, "%s and of %s", where,
						     objects[i]->where)
				      : objects[i]->where;
	return where ? arena_printf(arena, "it is a key of %s; check the indentation", where)
		     : NULL;
}

static const char *hint_other_tools(const char *name)
{
	for (size_t i = 0; i < sizeof(other_tools_keys) / sizeof(*other_tools_keys); i++)
		if (strcmp(other_tools_keys[i].name, name) == 0)
			return other_tools_keys[i].hint;
	return NULL;
}

const char *key_list_hint(const struct object *object, struct arena *arena)
{
	const char *text = "";
	for (size_t i = 0; i < object->n_keys; i++)
		text = arena_printf(arena, "%s%s%s", text, i ? ", " : "", object->keys[i].name);
	return arena_printf(arena, "valid keys here: %s", text);
}

const char *key_unknown_hint(const struct object *object, const char *name, struct arena *arena)
{
	if (strncmp(name, "x-", 2) == 0)
		return "keys that start with x- are valid only at the top level";
	const char *hint = hint_objects(name, arena);
	struct suggestion suggestion = {.text = name};
	for (size_t i = 0; i < object->n_keys; i++)
		suggestion_try(&suggestion, object->keys[i].name);
	const bool close = suggestion.best && suggestion.distance == 1;
	if (hint && close)
		return arena_printf(arena, "did you mean `%s`? Otherwise, %s", suggestion.best,
				    hint);
	/* `external` is rather Compose's key than a mistyped `internal`. */
	if (!hint && !close)
		hint = hint_other_tools(name);
	if (!hint && suggestion.best)
		return arena_printf(arena, "did you mean `%s`?", suggestion.best);
	return hint ? hint : key_list_hint(object, arena);
}
