#include "container_engine/netavark_request.h"

#include "container_engine/json.h"
#include "schema/name_rules.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#define FILES_DEFAULT "/etc/mvapply"

static int wrong(const char *what, const char *problem, struct error *error)
{
	error_set(error, EINVAL, "the request of netavark: %s %s", what, problem);
	error_hint(error, "the program is started as a plugin of netavark, which writes the "
			  "request to the standard input");
	return error_code(error, CODE_NETAVARK_REQUEST);
}

static int files_parse(const char *text, struct arena *arena, struct netavark_request *ret,
		       struct error *error)
{
	while (*text) {
		const size_t length = strcspn(text, ",");
		if (*text != '/')
			return wrong("the option `files`", "is not a list of absolute paths",
				     error);
		*array_push(arena, ret->files, ret->n_files) = arena_strndup(arena, text, length);
		text += length + (text[length] == ',');
	}
	return ret->n_files ? 0 : wrong("the option `files`", "is empty", error);
}

int netavark_network_parse(const json_t *network, struct arena *arena, struct netavark_request *ret,
			   struct error *error)
{
	const json_t *options = json_object_get(network, "options");
	const char *name = engine_json_text(options, "network"),
		   *files = engine_json_text(options, "files");
	*ret = (struct netavark_request){0};
	if (!name)
		name = engine_json_text(network, "name");
	if (!name || !*name)
		return wrong("the network", "has no name", error);
	ret->network = arena_strdup(arena, name);
	return files_parse(files ? files : FILES_DEFAULT, arena, ret, error);
}

static int ip_take(struct netavark_request *request, const char *text, struct error *error)
{
	struct ip ip;
	if (!text || !ip_parse(text, &ip))
		return wrong("a static address", "is not an IP address", error);
	struct ip *place = ip.family == AF_INET6 ? &request->ipv6 : &request->ipv4;
	if (place->family)
		return wrong("the static addresses", "are more than one of a family", error);
	*place = ip;
	return 0;
}

int netavark_container_parse(const json_t *json, struct arena *arena, struct netavark_request *ret,
			     struct error *error)
{
	const char *id = engine_json_text(json, "container_id"),
		   *name = engine_json_text(json, "container_name");
	const char *interface =
		engine_json_text(json_object_get(json, "network_options"), "interface_name");
	const int status =
		netavark_network_parse(json_object_get(json, "network"), arena, ret, error);
	if (status < 0)
		return status;
	if (!id || !*id || !name || !*name)
		return wrong("the container", "has no id or no name", error);
	if (!interface || !*interface)
		return wrong("the options of the container", "have no interface_name", error);
	ret->container_id = arena_strdup(arena, id);
	ret->container_name = arena_strdup(arena, name);
	ret->interface = arena_strdup(arena, interface);
	return 0;
}

static int options_parse(const json_t *options, struct netavark_request *ret, struct error *error)
{
	const char *mac = engine_json_text(options, "static_mac"), *ignored;
	const json_t *item;
	size_t i;
	if (text_problem(KEY_INTERFACE, ret->interface, &ignored))
		return wrong("interface_name", "is not a valid name of an interface", error);
	json_array_foreach(json_object_get(options, "static_ips"), i,
			   item) if (ip_take(ret, json_string_value(item), error) <
				     0) return -EINVAL;
	const char *problem = mac ? link_mac_parse(mac, &ret->mac) : NULL;
	return problem ? wrong("static_mac", problem, error) : 0;
}

int netavark_request_parse(const json_t *json, struct arena *arena, struct netavark_request *ret,
			   struct error *error)
{
	const int status = netavark_container_parse(json, arena, ret, error);
	return status < 0 ? status
			  : options_parse(json_object_get(json, "network_options"), ret, error);
}
