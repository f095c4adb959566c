/* The CNI plugin: a container runtime starts it for each container, with the network configuration
 * on the standard input. It keeps no state: its links are found by their owner tags. */
#include "cmd/attach/cni_check.h"
#include "cmd/attach/cni_result.h"
#include "cmd/attach/guests.h"
#include "cmd/attach/netns_link.h"
#include "cmd/attach/network_ready.h"
#include "cmd/attach/plugin.h"
#include "cmd/commands.h"
#include "cmd/exit.h"
#include "kernel/netns.h"
#include "lib/hash.h"
#include "lib/read_full.h"
#include "reconcile/apply/apply.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A configuration with prevResult has a few KiB; one of GC has a line for each container. */
#define INPUT_MAX (4U << 20)

/* A call in progress. */
struct call {
	const struct options *options;
	struct arena *arena;
	struct cni_request request;
	json_t *answer; /* NULL: nothing is written */
};

/* The beginning of the keys of a configuration's guests: GC is about these alone. Several
 * configurations, and other engines, can have guests on one network of the files. */
static const char *keys_begin(const struct call *call)
{
	return arena_printf(call->arena, "cni.%08" PRIx32,
			    (uint32_t)hash_text(HASH_START, call->request.name));
}

static const char *key_of(const struct call *call, const struct cni_interface *interface)
{
	return plugin_key(call->arena, keys_begin(call), interface->container_id,
			  interface->ifname);
}

/* "NAMESPACE/NAME"; without Kubernetes, the container's name alone (Podman). */
static const char *source_of(const struct cni_request *request, struct arena *arena)
{
	if (!request->pod_name || !request->pod_namespace)
		return request->pod_name;
	return arena_printf(arena, "%s/%s", request->pod_namespace, request->pod_name);
}

static struct started started_of(const struct call *call)
{
	const struct cni_request *request = &call->request;
	return (struct started){.source = source_of(request, call->arena),
				.kind = SOURCE_CNI,
				.name = request->pod_name ? request->pod_name
							  : request->interface.container_id,
				.key = key_of(call, &request->interface),
				.netns = request->netns,
				.interface = request->interface.ifname,
				.ipv4 = request->ipv4,
				.ipv6 = request->ipv6,
				.mac = request->mac};
}

static json_t *added_answer(void *data, const struct network *network, const struct link_spec *spec)
{
	const struct call *call = data;
	return cni_added(&call->request, network, spec);
}

static struct plugin_call plugin_call_of(const struct call *call)
{
	return (struct plugin_call){.options = call->options,
				    .files = call->request.files,
				    .n_files = call->request.n_files,
				    .network = call->request.network};
}

static int do_add(struct call *call, struct error *error)
{
	const struct plugin_call plugin_call = plugin_call_of(call);
	const struct started started = started_of(call);
	return plugin_attach(&plugin_call, &started, added_answer, call, &call->answer, error);
}

/* Whether a call for this interface made the link. */
static bool is_of_call(const void *data, const struct owner_tag *tag)
{
	const struct plugin_call plugin_call = plugin_call_of(data);
	const struct started started = started_of(data);
	return plugin_made(&plugin_call, &started, tag);
}

static int delete_named(const struct call *call, struct error *error)
{
	const struct plugin_call plugin_call = plugin_call_of(call);
	const struct started started = started_of(call);
	return plugin_detach(&plugin_call, &started, error);
}

/* The set of the network, whose service knows the guests; NULL: the files do not say. */
static const char *set_of(const struct call *call)
{
	struct error ignored;
	struct network_of_set where;
	const struct plugin_call plugin_call = plugin_call_of(call);
	struct desired *desired = plugin_files(&plugin_call, &ignored);
	const bool found =
		desired && network_of_name(desired, call->request.network, &where, &ignored) == 0;
	const char *set = found ? arena_strdup(call->arena, where.set->name) : NULL;
	desired_free(desired);
	return set;
}

/* A runtime repeats DEL without a namespace, which is gone then, as a rule. A new container of the
 * same name keeps its link: the key differs. */
static int do_del(struct call *call, struct error *error)
{
	struct apply_lock lock;
	const char *set = call->request.netns ? NULL : set_of(call);
	int status = apply_lock(&lock, NULL, error);
	if (status < 0)
		return status;
	status = call->request.netns ? delete_named(call, error)
				     : guests_delete(is_of_call, call, set, error);
	apply_unlock(&lock);
	return status;
}

static int do_check(struct call *call, struct error *error)
{
	struct netns_link found;
	const int status = netns_link_read(call->request.netns, call->request.interface.ifname,
					   true, call->arena, &found, error);
	if (status < 0)
		return status;
	if (status == 0)
		return cni_differs(&call->request, "does not exist any more", error);
	if (!is_of_call(call, &found.link.tag))
		return cni_differs(&call->request, "was not created by mvapply", error);
	return cni_check(&call->request, &found, call->arena, error);
}

static bool is_left(const void *data, const struct owner_tag *tag)
{
	const struct call *call = data;
	const struct cni_request *request = &call->request;
	if (!network_named(tag->set, tag->network, request->network) ||
	    !guest_key_begins(tag, keys_begin(call)))
		return false;
	for (size_t i = 0; i < request->n_valid; i++)
		if (guest_key_is(tag, key_of(call, &request->valid[i])))
			return false;
	return true;
}

static int do_gc(struct call *call, struct error *error)
{
	struct apply_lock lock;
	const char *set = set_of(call);
	int status = apply_lock(&lock, NULL, error);
	if (status < 0)
		return status;
	status = guests_delete(is_left, call, set, error);
	apply_unlock(&lock);
	return status;
}

static int do_status(struct call *call, struct error *error)
{
	const struct plugin_call plugin_call = plugin_call_of(call);
	struct desired *desired = plugin_files(&plugin_call, error);
	const int status =
		desired ? network_ready(desired, call->request.network, call->options, error)
			: -EINVAL;
	desired_free(desired);
	return status < 0 ? error_code(error, CODE_CNI_UNREADY) : 0;
}

static int do_version(struct call *call, struct error *error)
{
	(void)error;
	call->answer = cni_supported(&call->request);
	return 0;
}

static int (*const actions[])(struct call *, struct error *) = {
	[CNI_ADD] = do_add, [CNI_DEL] = do_del,       [CNI_CHECK] = do_check,
	[CNI_GC] = do_gc,   [CNI_STATUS] = do_status, [CNI_VERSIONS] = do_version,
};

static int call_do(struct call *call, struct error *error)
{
	const struct cni_environment environment = {.command = getenv("CNI_COMMAND"),
						    .container_id = getenv("CNI_CONTAINERID"),
						    .netns = getenv("CNI_NETNS"),
						    .ifname = getenv("CNI_IFNAME"),
						    .args = getenv("CNI_ARGS")};
	char *bytes;
	const ssize_t size = read_standard_input(call->arena, INPUT_MAX, &bytes, error);
	if (size < 0)
		return (int)size;
	const int status = cni_request_parse(&environment, bytes, (size_t)size, call->arena,
					     &call->request, error);
	return status < 0 ? status : actions[call->request.command](call, error);
}

void cni_prepare(struct options *options)
{
	struct error ignored; /* STATUS reports that there is no namespace */
	const char *command = getenv("CNI_COMMAND");
	const int netns = command && strcmp(command, "STATUS") == 0 ? netns_new(&ignored) : -1;
	if (netns >= 0)
		options->scratch = arena_printf(options->arena, "/proc/self/fd/%d", netns);
}

int command_cni(const struct options *options)
{
	struct error error;
	struct call call = {
		.options = options, .arena = options->arena, .request = {.version = CNI_VERSION}};
	const int status = call_do(&call, &error);
	if (status < 0)
		call.answer = cni_failed(&call.request, &error);
	if (call.answer) {
		json_dumpf(call.answer, stdout, JSON_INDENT(2));
		putchar('\n');
	}
	json_decref(call.answer);
	json_decref(call.request.previous);
	return status < 0 ? EXIT_FAILED : EXIT_CONVERGED;
}
