#include "container_engine/cni_request.h"

#include "container_engine/json.h"
#include "schema/name_rules.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#define FILES_DEFAULT "/etc/mvapply"

const char *const cni_versions[] = {"0.3.1", "0.4.0", "1.0.0", CNI_VERSION, NULL};

/* A parse in progress. */
struct parser {
	const struct cni_environment *environment;
	const json_t *json;
	struct arena *arena;
	struct cni_request *request;
	struct error *error;
};

/* The variables that each command requires, whether it is for one network, and whether it uses
 * requested addresses and prevResult. What a command does not use is not checked: a container whose
 * ADD failed because of it must not fail to be deleted. */
static const struct command_row {
	const char *name;
	bool interface, netns, network, requests, previous;
} commands[] = {
	[CNI_ADD] = {"ADD", true, true, true, true, true},
	[CNI_DEL] = {"DEL", true, false, true, false, false},
	[CNI_CHECK] = {"CHECK", true, true, true, false, true},
	[CNI_GC] = {"GC", false, false, true, false, false},
	[CNI_STATUS] = {"STATUS", false, false, true, false, false},
	[CNI_VERSIONS] = {"VERSION", false, false, false, false, false},
};
#define N_COMMANDS (sizeof(commands) / sizeof(commands[0]))

static int missing(const struct parser *parser, const char *variable)
{
	error_set(parser->error, EINVAL, "the environment variable %s is not set", variable);
	error_hint(parser->error, "the program is started as a CNI plugin: a container runtime "
				  "sets its environment (CNI specification, section 2)");
	return error_code(parser->error, CODE_CNI_ENVIRONMENT);
}

static int wrong_environment(const struct parser *parser, const char *variable, const char *problem)
{
	error_set(parser->error, EINVAL, "the environment variable %s %s", variable, problem);
	return error_code(parser->error, CODE_CNI_ENVIRONMENT);
}

static int wrong(const struct parser *parser, const char *key, const char *problem)
{
	error_set(parser->error, EINVAL, "the CNI configuration: %s %s", key, problem);
	return error_code(parser->error, CODE_CNI_CONFIGURATION);
}

static bool is_set(const char *text)
{
	return text && *text;
}

static int command_parse(const struct parser *parser)
{
	const char *name = parser->environment->command;
	if (!is_set(name))
		return missing(parser, "CNI_COMMAND");
	for (size_t i = 0; i < N_COMMANDS; i++)
		if (strcmp(commands[i].name, name) == 0) {
			parser->request->command = (enum cni_command)i;
			return 0;
		}
	return wrong_environment(parser, "CNI_COMMAND", "has an unknown command");
}

/* As a file may name an interface: the kernel would replace "%d", and reserves some names. */
static bool ifname_valid(const char *name)
{
	const char *ignored;
	return !text_problem(KEY_INTERFACE, name, &ignored);
}

static int environment_parse(const struct parser *parser)
{
	const struct cni_environment *environment = parser->environment;
	const struct command_row *row = &commands[parser->request->command];
	struct arena *arena = parser->arena;
	if (!row->interface)
		return 0;
	if (!is_set(environment->container_id))
		return missing(parser, "CNI_CONTAINERID");
	if (!is_set(environment->ifname))
		return missing(parser, "CNI_IFNAME");
	const bool valid = ifname_valid(environment->ifname);
	if (!valid && row->netns)
		return wrong_environment(parser, "CNI_IFNAME",
					 "is not a valid name of an interface");
	if (row->netns && !is_set(environment->netns))
		return missing(parser, "CNI_NETNS");
	if (is_set(environment->netns) && *environment->netns != '/')
		return wrong_environment(parser, "CNI_NETNS", "is not an absolute path");
	parser->request->interface =
		(struct cni_interface){arena_strdup(arena, environment->container_id),
				       arena_strdup(arena, environment->ifname)};
	/* DEL of a name that no ADD accepts: the namespace has no such interface. */
	if (valid && is_set(environment->netns))
		parser->request->netns = arena_strdup(arena, environment->netns);
	return 0;
}

static bool version_take(const struct parser *parser, const char *version)
{
	for (size_t i = 0; version && cni_versions[i]; i++)
		if (strcmp(cni_versions[i], version) == 0) {
			parser->request->version = cni_versions[i];
			return true;
		}
	return false;
}

static int version_parse(const struct parser *parser)
{
	const char *version = engine_json_text(parser->json, "cniVersion");
	if (version_take(parser, version))
		return 0;
	error_set(parser->error, EINVAL, "the CNI configuration: cniVersion %.32s is not supported",
		  version ? version : "0.1.0");
	error_hint(parser->error, "use 0.3.1, 0.4.0, 1.0.0 or " CNI_VERSION);
	return error_code(parser->error, CODE_CNI_VERSION);
}

static int file_add(const struct parser *parser, const json_t *item)
{
	const char *path = json_string_value(item);
	if (!path || *path != '/')
		return wrong(parser, "`files`",
			     "is neither an absolute path nor a list of absolute paths");
	*array_push(parser->arena, parser->request->files, parser->request->n_files) =
		arena_strdup(parser->arena, path);
	return 0;
}

static int files_parse(const struct parser *parser)
{
	const json_t *files = json_object_get(parser->json, "files"), *item;
	size_t i;
	int status = 0;
	if (!files) {
		*array_push(parser->arena, parser->request->files, parser->request->n_files) =
			FILES_DEFAULT;
		return 0;
	}
	if (!json_is_array(files))
		return file_add(parser, files);
	json_array_foreach(files, i, item) if ((status = file_add(parser, item)) < 0) return status;
	return parser->request->n_files ? 0 : wrong(parser, "`files`", "is empty");
}

/* Without `network`, the networks of the runtime and of the files have the same name. */
static int network_parse(const struct parser *parser)
{
	const json_t *key = json_object_get(parser->json, "network");
	const char *name = engine_json_text(parser->json, "name");
	const char *network = key ? json_string_value(key) : name;
	if (!is_set(network))
		return wrong(parser, "`network`", "is not the name of a network");
	parser->request->network = arena_strdup(parser->arena, network);
	parser->request->name = arena_strdup(parser->arena, is_set(name) ? name : network);
	return 0;
}

/* "172.16.86.20" or "172.16.86.20/24": the prefix length is the network's. */
static int ip_take(const struct parser *parser, const char *text)
{
	struct prefix prefix;
	struct cni_request *request = parser->request;
	if (!text || (!ip_parse(text, &prefix.ip) && !prefix_parse(text, &prefix)))
		return wrong(parser, "a requested address", "is not an IP address");
	struct ip *place = prefix.ip.family == AF_INET6 ? &request->ipv6 : &request->ipv4;
	if (place->family && !ip_equal(place, &prefix.ip))
		return wrong(parser, "the requested addresses",
			     "are more than one of a family, which mvapply does not support");
	*place = prefix.ip;
	return 0;
}

static int mac_take(const struct parser *parser, const char *text)
{
	const char *problem =
		text ? link_mac_parse(text, &parser->request->mac) : "is not a MAC address";
	return problem ? wrong(parser, "the requested MAC address", problem) : 0;
}

/* `runtimeConfig` (capabilities ips and mac) and `args.cni` (CONVENTIONS.md of the specification)
 * have the same keys. */
static int requested_parse(const struct parser *parser, const json_t *object)
{
	const json_t *ips = json_object_get(object, "ips"), *mac = json_object_get(object, "mac"),
		     *item;
	size_t i;
	int status = 0;
	if (ips && !json_is_array(ips))
		return wrong(parser, "`ips`", "is not a list");
	json_array_foreach(ips, i, item) if ((status = ip_take(parser, json_string_value(item))) <
					     0) return status;
	return mac ? mac_take(parser, json_string_value(mac)) : 0;
}

static int arg_take(const struct parser *parser, const char *key, const char *value)
{
	struct cni_request *request = parser->request;
	const bool requests = commands[request->command].requests;
	if (strcmp(key, "IP") == 0)
		return requests ? ip_take(parser, value) : 0;
	if (strcmp(key, "MAC") == 0)
		return requests ? mac_take(parser, value) : 0;
	if (strcmp(key, "K8S_POD_NAMESPACE") == 0)
		request->pod_namespace = value;
	else if (strcmp(key, "K8S_POD_NAME") == 0)
		request->pod_name = value;
	return 0;
}

/* CNI_ARGS: "KEY=VALUE;KEY=VALUE". Unknown keys are other plugins'. */
static int args_parse(const struct parser *parser)
{
	const char *text = parser->environment->args;
	int status = 0;
	while (status == 0 && is_set(text)) {
		const size_t length = strcspn(text, ";"), key = strcspn(text, "=;");
		if (key < length)
			status = arg_take(
				parser, arena_strndup(parser->arena, text, key),
				arena_strndup(parser->arena, text + key + 1, length - key - 1));
		text += length + (text[length] == ';');
	}
	return status;
}

/* CNI specification 1.1.0, section 2, "GC". */
static int valid_parse(const struct parser *parser)
{
	const json_t *list = json_object_get(parser->json, "cni.dev/valid-attachments"), *item;
	size_t i;
	if (parser->request->command != CNI_GC)
		return 0;
	if (!json_is_array(list))
		return wrong(parser, "`cni.dev/valid-attachments`", "is not a list");
	json_array_foreach(list, i, item)
	{
		const char *id = engine_json_text(item, "containerID"),
			   *ifname = engine_json_text(item, "ifname");
		if (!id || !ifname)
			return wrong(parser, "`cni.dev/valid-attachments`",
				     "has an item without containerID or ifname");
		*array_push(parser->arena, parser->request->valid, parser->request->n_valid) =
			(struct cni_interface){arena_strdup(parser->arena, id),
					       arena_strdup(parser->arena, ifname)};
	}
	return 0;
}

static int previous_parse(const struct parser *parser)
{
	json_t *previous = json_object_get(parser->json, "prevResult");
	if (!commands[parser->request->command].previous || !previous || json_is_null(previous))
		return 0;
	if (!json_is_object(previous))
		return wrong(parser, "`prevResult`", "is not an object");
	parser->request->previous = json_incref(previous);
	return 0;
}

static int configuration_parse(const struct parser *parser)
{
	static int (*const parts[])(const struct parser *) = {
		files_parse, network_parse, args_parse, valid_parse, previous_parse};
	const json_t *json = parser->json;
	int status = version_parse(parser);
	for (size_t i = 0; status == 0 && i < sizeof(parts) / sizeof(parts[0]); i++)
		status = parts[i](parser);
	if (status < 0 || !commands[parser->request->command].requests)
		return status;
	status = requested_parse(parser, json_object_get(json, "runtimeConfig"));
	return status < 0 ? status
			  : requested_parse(parser,
					    json_object_get(json_object_get(json, "args"), "cni"));
}

int cni_request_parse(const struct cni_environment *environment, const char *bytes, size_t size,
		      struct arena *arena, struct cni_request *ret, struct error *error)
{
	json_t *json = engine_json_parse(bytes, size);
	const struct parser parser = {.environment = environment,
				      .json = json,
				      .arena = arena,
				      .request = ret,
				      .error = error};
	*ret = (struct cni_request){.version = CNI_VERSION};
	/* Also of an error's answer, and of VERSION's, which needs no input. */
	version_take(&parser, engine_json_text(json, "cniVersion"));
	int status = command_parse(&parser);
	if (status == 0 && commands[ret->command].network && !json_is_object(json)) {
		error_set(error, EINVAL,
			  "the CNI configuration on the standard input is not a JSON object");
		status = error_code(error, CODE_CNI_INPUT);
	}
	if (status == 0 && commands[ret->command].network)
		status = configuration_parse(&parser);
	if (status == 0)
		status = environment_parse(&parser);
	json_decref(json);
	return status;
}
