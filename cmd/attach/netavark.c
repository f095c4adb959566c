/* The plugin of netavark, Podman's network stack (netavark-plugins, "Plugin API"): Podman's network
 * with the driver mvapply is a network of the files. */
#include "cmd/attach/plugin.h"
#include "cmd/commands.h"
#include "cmd/exit.h"
#include "container_engine/json.h"
#include "container_engine/netavark_request.h"
#include "lib/read_full.h"
#include "reconcile/apply/apply.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#define INPUT_MAX   (1U << 20)
#define API_VERSION "1.0.0"

/* A call in progress. */
struct call {
	const struct options *options;
	const char *netns; /* NULL: `create` and `info` */
	json_t *input, *answer;
	struct netavark_request request;
};

static struct plugin_call plugin_call_of(const struct call *call)
{
	return (struct plugin_call){.options = call->options,
				    .files = call->request.files,
				    .n_files = call->request.n_files,
				    .network = call->request.network};
}

static int do_info(struct call *call, struct error *error)
{
	(void)error;
	call->answer = json_pack("{s:s, s:s}", "version", VERSION, "api_version", API_VERSION);
	return 0;
}

/* The addresses are the files': without "none", Podman would choose some by itself. */
static int do_create(struct call *call, struct error *error)
{
	struct network_of_set where;
	int status =
		netavark_network_parse(call->input, call->options->arena, &call->request, error);
	const struct plugin_call plugin_call = plugin_call_of(call);
	struct desired *desired = status < 0 ? NULL : plugin_files(&plugin_call, error);
	if (!desired)
		return -EINVAL;
	status = network_of_name(desired, call->request.network, &where, error);
	desired_free(desired);
	if (status < 0)
		return status;
	call->answer = json_deep_copy(call->input);
	json_object_set_new(call->answer, "ipam_options", json_pack("{s:s}", "driver", "none"));
	return 0;
}

static json_t *subnet_json(const struct network *network, const struct prefix *addr)
{
	char text[PREFIX_TEXT_SIZE], gateway[IP_TEXT_SIZE];
	const struct ip *router = network_gateway(network, &addr->ip);
	json_t *json = json_pack("{s:s}", "ipnet", prefix_format(addr, text));
	if (router)
		json_object_set_new(json, "gateway", json_string(ip_format(router, gateway)));
	return json;
}

/* StatusBlock of netavark. */
static json_t *setup_answer(void *data, const struct network *network, const struct link_spec *spec)
{
	char mac[MAC_TEXT_SIZE];
	json_t *subnets = json_array();
	(void)data;
	for (size_t i = 0; i < spec->n_addrs; i++)
		json_array_append_new(subnets, subnet_json(network, &spec->addrs[i]));
	return json_pack("{s:[], s:[], s:{s:{s:s, s:o}}}", "dns_search_domains", "dns_server_ips",
			 "interfaces", spec->name, "mac_address",
			 spec->mac.set ? mac_format(&spec->mac, mac) : "", "subnets", subnets);
}

static struct started started_of(const struct call *call)
{
	const struct netavark_request *request = &call->request;
	return (struct started){.kind = SOURCE_PODMAN,
				.source = request->container_name,
				.name = request->container_name,
				.key = plugin_key(call->options->arena, "nv", request->container_id,
						  request->interface),
				.netns = call->netns,
				.interface = request->interface,
				.ipv4 = request->ipv4,
				.ipv6 = request->ipv6,
				.mac = request->mac};
}

static int do_setup(struct call *call, struct error *error)
{
	if (netavark_request_parse(call->input, call->options->arena, &call->request, error) < 0)
		return -EINVAL;
	const struct plugin_call plugin_call = plugin_call_of(call);
	const struct started started = started_of(call);
	return plugin_attach(&plugin_call, &started, setup_answer, NULL, &call->answer, error);
}

static int do_teardown(struct call *call, struct error *error)
{
	struct apply_lock lock;
	int status =
		netavark_container_parse(call->input, call->options->arena, &call->request, error);
	if (status == 0)
		status = apply_lock(&lock, NULL, error);
	if (status < 0)
		return status;
	const struct plugin_call plugin_call = plugin_call_of(call);
	const struct started started = started_of(call);
	status = plugin_detach(&plugin_call, &started, error);
	apply_unlock(&lock);
	return status;
}

static const struct plugin_action {
	const char *name;
	bool input, netns;
	int (*run)(struct call *call, struct error *error);
} actions[] = {
	{"info", false, false, do_info},
	{"create", true, false, do_create},
	{"setup", true, true, do_setup},
	{"teardown", true, true, do_teardown},
};

static const struct plugin_action *action_find(const struct options *options)
{
	const size_t rows = sizeof(actions) / sizeof(actions[0]);
	for (size_t i = 0; options->n_words && i < rows; i++)
		if (strcmp(actions[i].name, options->words[0]) == 0 &&
		    options->n_words == (actions[i].netns ? 2 : 1))
			return &actions[i];
	return NULL;
}

static int input_read(struct call *call, struct error *error)
{
	char *bytes;
	const ssize_t size = read_standard_input(call->options->arena, INPUT_MAX, &bytes, error);
	if (size < 0)
		return (int)size;
	call->input = engine_json_parse(bytes, (size_t)size);
	return 0;
}

static int call_do(struct call *call, struct error *error)
{
	const struct plugin_action *action = action_find(call->options);
	if (!action) {
		error_set(error, EINVAL, "the call is none of a netavark plugin");
		error_hint(error, "the calls are info, create, setup NETNS and teardown NETNS");
		return error_code(error, CODE_NETAVARK_REQUEST);
	}
	call->netns = action->netns ? call->options->words[1] : NULL;
	const int status = action->input ? input_read(call, error) : 0;
	return status < 0 ? status : action->run(call, error);
}

/* netavark shows the text of "error" word for word. */
static json_t *error_json(const struct error *error)
{
	char code[CODE_TEXT_SIZE];
	return json_pack("{s:o}", "error",
			 json_sprintf("mvapply: %s [%s]%s%s", error->text,
				      code_format(error->code, code),
				      *error->hint ? "; hint: " : "", error->hint));
}

int command_netavark(const struct options *options)
{
	struct error error;
	struct call call = {.options = options};
	const int status = call_do(&call, &error);
	if (status < 0)
		call.answer = error_json(&error);
	if (call.answer) {
		json_dumpf(call.answer, stdout, JSON_INDENT(2));
		putchar('\n');
	}
	json_decref(call.answer);
	json_decref(call.input);
	return status < 0 ? EXIT_FAILED : EXIT_CONVERGED;
}
