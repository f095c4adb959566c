#include "container_engine/docker_call.h"

#include "container_engine/json.h"
#include "lib/printable.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

/* Docker's ids have 64 digits. */
#define ID_LENGTH_MAX 128

/* The keys that a method has to have. */
enum need {
	NEEDS_NETWORK = 1,
	NEEDS_ENDPOINT = 2,
	NEEDS_POOL = 4,
	NEEDS_ADDRESS = 8,
	NEEDS_BODY = 16,
	OR_NOTHING = 32, /* a repetition without arguments does nothing */
};

static const struct method {
	const char *name;
	unsigned needs;
} methods[] = {
	[DOCKER_ACTIVATE] = {"Plugin.Activate", 0},
	[DOCKER_CAPABILITIES] = {"NetworkDriver.GetCapabilities", 0},
	[DOCKER_CREATE_NETWORK] = {"NetworkDriver.CreateNetwork", NEEDS_NETWORK},
	[DOCKER_DELETE_NETWORK] = {"NetworkDriver.DeleteNetwork", NEEDS_NETWORK | OR_NOTHING},
	[DOCKER_CREATE_ENDPOINT] = {"NetworkDriver.CreateEndpoint", NEEDS_NETWORK | NEEDS_ENDPOINT},
	[DOCKER_DELETE_ENDPOINT] = {"NetworkDriver.DeleteEndpoint",
				    NEEDS_NETWORK | NEEDS_ENDPOINT | OR_NOTHING},
	[DOCKER_ENDPOINT_INFO] = {"NetworkDriver.EndpointOperInfo", NEEDS_ENDPOINT | OR_NOTHING},
	[DOCKER_JOIN] = {"NetworkDriver.Join", NEEDS_NETWORK | NEEDS_ENDPOINT},
	[DOCKER_LEAVE] = {"NetworkDriver.Leave", NEEDS_ENDPOINT | OR_NOTHING},
	[DOCKER_EXTERNAL] = {"NetworkDriver.ProgramExternalConnectivity",
			     NEEDS_ENDPOINT | OR_NOTHING},
	[DOCKER_NOT_EXTERNAL] = {"NetworkDriver.RevokeExternalConnectivity",
				 NEEDS_ENDPOINT | OR_NOTHING},
	[DOCKER_DISCOVERED] = {"NetworkDriver.DiscoverNew", 0},
	[DOCKER_NOT_DISCOVERED] = {"NetworkDriver.DiscoverDelete", 0},
	[DOCKER_IPAM_CAPABILITIES] = {"IpamDriver.GetCapabilities", 0},
	[DOCKER_ADDRESS_SPACES] = {"IpamDriver.GetDefaultAddressSpaces", 0},
	[DOCKER_REQUEST_POOL] = {"IpamDriver.RequestPool", NEEDS_BODY},
	[DOCKER_RELEASE_POOL] = {"IpamDriver.ReleasePool", 0},
	[DOCKER_REQUEST_ADDRESS] = {"IpamDriver.RequestAddress", NEEDS_POOL},
	[DOCKER_RELEASE_ADDRESS] = {"IpamDriver.ReleaseAddress",
				    NEEDS_POOL | NEEDS_ADDRESS | OR_NOTHING},
};

/* A parse in progress. */
struct parser {
	const json_t *json;
	struct arena *arena;
	struct docker_call *call;
	struct error *error;
};

const char *docker_method_name(enum docker_method method)
{
	return methods[method].name;
}

bool docker_path_is_ipam(const char *path)
{
	return strncmp(path, "/IpamDriver.", strlen("/IpamDriver.")) == 0;
}

static int wrong(const struct parser *parser, const char *key, const char *problem)
{
	error_set(parser->error, EINVAL, "%s: %s %s", methods[parser->call->method].name, key,
		  problem);
	return error_code(parser->error, CODE_DOCKER_CALL);
}

/* The text at the key; NULL if there is none, or an empty one. */
static const char *text_at(const struct parser *parser, const json_t *object, const char *key)
{
	const char *text = engine_json_text(object, key);
	return text && *text ? arena_strdup(parser->arena, text) : NULL;
}

static int id_parse(const struct parser *parser, const char *key, unsigned need, const char **ret)
{
	*ret = text_at(parser, parser->json, key);
	if (!*ret)
		return methods[parser->call->method].needs & need ? wrong(parser, key, "is missing")
								  : 0;
	return strlen(*ret) <= ID_LENGTH_MAX && text_printable(*ret, strlen(*ret))
		       ? 0
		       : wrong(parser, key, "is not an id");
}

static int ids_parse(const struct parser *parser)
{
	struct docker_call *call = parser->call;
	const int status = id_parse(parser, "NetworkID", NEEDS_NETWORK, &call->network_id);
	return status < 0 ? status
			  : id_parse(parser, "EndpointID", NEEDS_ENDPOINT, &call->endpoint_id);
}

/* "172.16.86.2" or "172.16.86.2/24": the length is the pool's. */
static int ip_take(const struct parser *parser, const json_t *object, const char *key,
		   struct ip *ret)
{
	struct prefix prefix;
	const char *text = engine_json_text(object, key);
	if (!text || !*text || ip_parse(text, ret))
		return 0;
	if (!prefix_parse(text, &prefix))
		return wrong(parser, key, "is not an IP address");
	*ret = prefix.ip;
	return 0;
}

static int subnet_take(const struct parser *parser, const json_t *object, const char *key,
		       struct prefix *ret)
{
	const char *text = engine_json_text(object, key);
	return !text || !*text || prefix_parse(text, ret)
		       ? 0
		       : wrong(parser, key, "is not a subnet in CIDR notation");
}

static int pool_parse(const struct parser *parser)
{
	struct docker_pool *pool = &parser->call->pool;
	const char *id = text_at(parser, parser->json, "PoolID");
	if (!id)
		return methods[parser->call->method].needs & NEEDS_POOL
			       ? wrong(parser, "PoolID", "is missing")
			       : 0;
	const size_t set = strcspn(id, "/");
	const char *network = id + set + (id[set] == '/');
	const size_t length = strcspn(network, "/");
	if (!set || !length || network[length] != '/' ||
	    !prefix_parse(network + length + 1, &pool->subnet))
		return wrong(parser, "PoolID", "is not an id that mvapply assigned");
	pool->set = arena_strndup(parser->arena, id, set);
	pool->network = arena_strndup(parser->arena, network, length);
	return 0;
}

static int address_parse(const struct parser *parser)
{
	struct docker_call *call = parser->call;
	const int status = ip_take(parser, parser->json, "Address", &call->address);
	if (status < 0 || call->address.family || !(methods[call->method].needs & NEEDS_ADDRESS))
		return status;
	return wrong(parser, "Address", "is missing");
}

/* `docker network create --ipam-opt network=lan`, and `-o network=lan`. */
static int options_parse(const struct parser *parser)
{
	const json_t *options = json_object_get(parser->json, "Options"),
		     *generic = json_object_get(options, "com.docker.network.generic");
	const char *type = engine_json_text(options, "RequestAddressType");
	struct docker_call *call = parser->call;
	call->sandbox = text_at(parser, parser->json, "SandboxKey");
	call->network = text_at(parser, json_is_object(generic) ? generic : options, "network");
	call->gateway = type && strcmp(type, "com.docker.network.gateway") == 0;
	return 0;
}

static int request_parse(const struct parser *parser)
{
	struct docker_call *call = parser->call;
	int status = subnet_take(parser, parser->json, "Pool", &call->subnet);
	if (status == 0)
		status = subnet_take(parser, parser->json, "SubPool", &call->range);
	call->ipv6 = json_is_true(json_object_get(parser->json, "V6"));
	return status;
}

static int data_parse(const struct parser *parser, const char *key)
{
	const json_t *list = json_object_get(parser->json, key), *item;
	struct docker_call *call = parser->call;
	size_t i;
	json_array_foreach(list, i, item)
	{
		struct docker_ipam_data *data = array_push(parser->arena, call->data, call->n_data);
		data->address_space = text_at(parser, item, "AddressSpace");
		int status = subnet_take(parser, item, "Pool", &data->subnet);
		if (status == 0)
			status = ip_take(parser, item, "Gateway", &data->gateway);
		if (status < 0)
			return status;
	}
	return 0;
}

static int network_data_parse(const struct parser *parser)
{
	const int status = data_parse(parser, "IPv4Data");
	return status < 0 ? status : data_parse(parser, "IPv6Data");
}

static int interface_parse(const struct parser *parser)
{
	const json_t *interface = json_object_get(parser->json, "Interface");
	const char *mac = text_at(parser, interface, "MacAddress");
	struct docker_call *call = parser->call;
	int status = ip_take(parser, interface, "Address", &call->ipv4);
	if (status == 0)
		status = ip_take(parser, interface, "AddressIPv6", &call->ipv6_address);
	if (status == 0 && ((call->ipv4.family && call->ipv4.family != AF_INET) ||
			    (call->ipv6_address.family && call->ipv6_address.family != AF_INET6)))
		status = wrong(parser, "Interface", "has an address of the wrong family");
	const char *problem = status == 0 && mac ? link_mac_parse(mac, &call->mac) : NULL;
	if (problem)
		status = wrong(parser, "MacAddress", problem);
	return status;
}

static int method_find(const char *path, struct docker_call *ret, struct error *error)
{
	for (size_t i = 0; i < N_DOCKER_METHODS; i++)
		if (*path == '/' && strcmp(methods[i].name, path + 1) == 0) {
			ret->method = (enum docker_method)i;
			return 0;
		}
	error_set(error, ENOSYS, "unknown method \"%s\"", path);
	return error_code(error, CODE_DOCKER_METHOD);
}

static int parts_parse(const struct parser *parser)
{
	static int (*const parts[])(const struct parser *) = {
		ids_parse,     pool_parse,         address_parse,  options_parse,
		request_parse, network_data_parse, interface_parse};
	int status = 0;
	for (size_t i = 0; status == 0 && i < sizeof(parts) / sizeof(parts[0]); i++)
		status = parts[i](parser);
	return status;
}

static int arguments_missing(enum docker_method method, struct error *error)
{
	error_set(error, EINVAL,
		  "Docker repeated %s without its arguments, because the plugin was restarted",
		  methods[method].name);
	error_hint(error, "repeat the command, for example start the container again");
	return error_code(error, CODE_DOCKER_REPEATED);
}

static int body_parse(const struct parser *parser, size_t size)
{
	const enum docker_method method = parser->call->method;
	if (size)
		return json_is_object(parser->json)
			       ? parts_parse(parser)
			       : wrong(parser, "the body", "is not a JSON object");
	parser->call->repeated = methods[method].needs & OR_NOTHING;
	return !methods[method].needs || parser->call->repeated
		       ? 0
		       : arguments_missing(method, parser->error);
}

/* Docker sends no body with methods that have no arguments. Its client (pkg/plugins/client.go)
 * repeats a call whose connection broke, and sends no body then, as it has been read. */
int docker_call_parse(const char *path, const char *bytes, size_t size, struct arena *arena,
		      struct docker_call *ret, struct error *error)
{
	json_t *json = size ? engine_json_parse(bytes, size) : NULL;
	const struct parser parser = {.json = json, .arena = arena, .call = ret, .error = error};
	*ret = (struct docker_call){0};
	int status = method_find(path, ret, error);
	if (status == 0)
		status = body_parse(&parser, size);
	json_decref(json);
	return status;
}

const char *docker_pool_id(const struct docker_pool *pool, struct arena *arena)
{
	char subnet[PREFIX_TEXT_SIZE];
	return arena_printf(arena, "%s/%s/%s", pool->set, pool->network,
			    prefix_format(&pool->subnet, subnet));
}
