#include "cmd/docker_plugin/calls.h"

/* An answer that is the same for every call. */
static json_t *answer_empty(const struct docker_work *work, struct error *error)
{
	(void)work;
	(void)error;
	return json_object();
}

/* Docker has just been started, or has just found the plugin. */
static json_t *activate(const struct docker_work *work, struct error *error)
{
	(void)error;
	state_release_all(work->state);
	work->state->compare = true;
	return json_pack("{s:[s, s]}", "Implements", "NetworkDriver", "IpamDriver");
}

static json_t *capabilities(const struct docker_work *work, struct error *error)
{
	(void)work;
	(void)error;
	return json_pack("{s:s, s:s}", "Scope", "local", "ConnectivityScope", "local");
}

/* Without a MAC address of Docker's, it is the one of the files. */
static json_t *ipam_capabilities(const struct docker_work *work, struct error *error)
{
	(void)work;
	(void)error;
	return json_pack("{s:b, s:b}", "RequiresMACAddress", 0, "RequiresRequestReplay", 0);
}

static json_t *address_spaces(const struct docker_work *work, struct error *error)
{
	(void)work;
	(void)error;
	return json_pack("{s:s, s:s}", "LocalDefaultAddressSpace", DOCKER_ADDRESS_SPACE,
			 "GlobalDefaultAddressSpace", DOCKER_ADDRESS_SPACE "-global");
}

static json_t *endpoint_info(const struct docker_work *work, struct error *error)
{
	(void)work;
	(void)error;
	return json_pack("{s:{}}", "Value");
}

static const struct {
	json_t *(*answer)(const struct docker_work *work, struct error *error);
	bool waits, reads;
} actions[N_DOCKER_METHODS] = {
	[DOCKER_ACTIVATE] = {activate, false, false},
	[DOCKER_CAPABILITIES] = {capabilities, false, false},
	[DOCKER_CREATE_NETWORK] = {docker_create_network, false, true},
	[DOCKER_DELETE_NETWORK] = {docker_delete_network, false, false},
	[DOCKER_CREATE_ENDPOINT] = {docker_create_endpoint, true, true},
	[DOCKER_DELETE_ENDPOINT] = {docker_delete_endpoint, true, false},
	[DOCKER_ENDPOINT_INFO] = {endpoint_info, false, false},
	[DOCKER_JOIN] = {docker_join, true, true},
	[DOCKER_LEAVE] = {answer_empty, false, false},
	[DOCKER_EXTERNAL] = {answer_empty, false, false},
	[DOCKER_NOT_EXTERNAL] = {answer_empty, false, false},
	[DOCKER_DISCOVERED] = {answer_empty, false, false},
	[DOCKER_NOT_DISCOVERED] = {answer_empty, false, false},
	[DOCKER_IPAM_CAPABILITIES] = {ipam_capabilities, false, false},
	[DOCKER_ADDRESS_SPACES] = {address_spaces, false, false},
	[DOCKER_REQUEST_POOL] = {docker_request_pool, false, true},
	[DOCKER_RELEASE_POOL] = {answer_empty, false, false},
	[DOCKER_REQUEST_ADDRESS] = {docker_request_address, true, true},
	[DOCKER_RELEASE_ADDRESS] = {docker_release_address, false, false},
};

bool docker_call_waits(enum docker_method method)
{
	return actions[method].waits;
}

bool docker_call_reads(enum docker_method method)
{
	return actions[method].reads;
}

bool docker_call_chooses(enum docker_method method)
{
	return method == DOCKER_REQUEST_ADDRESS;
}

json_t *docker_call_answer(const struct docker_work *work, struct error *error)
{
	return work->call->repeated ? json_object()
				    : actions[work->call->method].answer(work, error);
}

void docker_call_note(struct plugin_state *state, const struct docker_call *call)
{
	if (call->repeated)
		return;
	if (call->method == DOCKER_CREATE_ENDPOINT)
		state_endpoint_add(state, call->endpoint_id, &call->ipv4, &call->ipv6_address);
	if (call->method == DOCKER_DELETE_ENDPOINT)
		state_endpoint_remove(state, call->endpoint_id);
}

json_t *docker_call_failed(bool ipam, const struct error *error)
{
	char code[CODE_TEXT_SIZE];
	json_t *text =
		json_sprintf("mvapply: %s [%s]%s%s", error->text, code_format(error->code, code),
			     *error->hint ? "; hint: " : "", error->hint);
	return json_pack("{s:o}", ipam ? "Error" : "Err",
			 text ? text : json_string("mvapply: the call failed"));
}
