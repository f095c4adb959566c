#include "cmd/attach/plugin.h"

#include "cmd/attach/attach.h"
#include "cmd/attach/files.h"
#include "cmd/attach/guests.h"
#include "cmd/attach/lease_end.h"
#include "cmd/attach/netns_link.h"
#include "cmd/exit.h"
#include "lib/hash.h"

#include <errno.h>
#include <inttypes.h>

const char *plugin_key(struct arena *arena, const char *prefix, const char *container_id,
		       const char *interface)
{
	const uint64_t hash = hash_text(hash_text(HASH_START, container_id), interface);
	return arena_printf(arena, "%s.%016" PRIx64, prefix, hash);
}

static struct options plugin_options(const struct plugin_call *call)
{
	struct options options = *call->options;
	options.files = call->files;
	options.n_files = call->n_files;
	return options;
}

struct desired *plugin_files(const struct plugin_call *call, struct error *error)
{
	const struct options options = plugin_options(call);
	return attach_files_load(&options, error);
}

/* An attachment in progress. */
struct attaching {
	const struct plugin_call *call;
	const struct started *started;
	plugin_answer *answer;
	void *data;
	json_t **ret_answer;
	struct error *error;
};

static const struct step *step_of(const struct run *run, const struct attach_job *job)
{
	for (size_t i = 0; i < run->plan->n_steps; i++)
		if (containers_have(&job->containers, &run->plan->steps[i]))
			return &run->plan->steps[i];
	return NULL;
}

static int attached_report(void *data, const struct run *run, const struct attach_job *job)
{
	const struct attaching *attaching = data;
	const struct step *step = step_of(run, job);
	if (step && attach_step_error(run, step, attaching->error))
		return EXIT_FAILED;
	if (!step || !step->desired) {
		error_set(attaching->error, EEXIST, "the container is attached already");
		error_hint(attaching->error, "delete the attachment before it is added again");
		error_code(attaching->error, CODE_CNI_INTERFACE);
		return EXIT_FAILED;
	}
	*attaching->ret_answer = attaching->answer(
		attaching->data, job->containers.attachment->network, step->desired);
	return EXIT_CONVERGED;
}

/* No file assigns leases to guests. */
static int lease_check(const struct containers *containers, struct error *error)
{
	if (!containers->attachment->network->dhcp || !containers->items[0]->guest)
		return 0;
	error_set(error, EINVAL, "network %s uses DHCP, and no file declares the container",
		  containers->attachment->network->name);
	error_hint(error, "declare the container, or remove `dhcp` from the network");
	return error_code(error, CODE_CNI_NETWORK);
}

static int desired_attach(const struct desired *desired, void *data, struct error *error)
{
	struct network_of_set where;
	struct attaching *attaching = data;
	const struct started *started = attaching->started;
	struct options options = *attaching->call->options;
	options.quiet = true;
	struct attach_job job = {.options = &options};
	int status = network_of_name(desired, attaching->call->network, &where, error);
	if (status < 0)
		return status;
	job.desired = started_add(desired, &where, started, options.arena, &job.containers, error);
	if (!job.desired || lease_check(&job.containers, error) < 0)
		return -EINVAL;
	job.lookups = lookups_new(NULL, NULL, NULL);
	status = attach_run(&job, attached_report, attaching, error);
	lookups_free(job.lookups);
	return status == EXIT_FAILED ? -EINVAL : status;
}

/* No call is repeated: the interface is unmanaged, or an earlier call's. */
static int interface_free(const struct plugin_call *call, const struct started *started,
			  struct error *error)
{
	struct netns_link found;
	const int status = netns_link_read(started->netns, started->interface, false,
					   call->options->arena, &found, error);
	if (status <= 0)
		return status;
	error_set(error, EEXIST, "the container already has an interface %s", started->interface);
	error_hint(error, "give the plugins of one container different interface names");
	return error_code(error, CODE_CNI_INTERFACE);
}

/* A requested address may be another container's. */
static bool excerpt_suffices(const struct started *started)
{
	return !started->ipv4.family && !started->ipv6.family;
}

static int files_attach(struct attaching *attaching, struct error *error)
{
	__attribute__((cleanup(arena_cleanup))) struct arena *arena = arena_new();
	const struct plugin_call *call = attaching->call;
	const struct started *started = attaching->started;
	const struct service_container container = {.kind = started->kind,
						    .names.other = started->source};
	struct options options = plugin_options(call);
	struct diags diags;
	diags_init(&diags);
	const struct attach_files files = attach_files_read(&options, arena, &diags);
	const int status =
		attach_files_with(&options, &files, excerpt_suffices(started) ? &container : NULL,
				  desired_attach, attaching, &diags, error);
	if (diags.count)
		attach_files_error(&diags, error);
	diags_free(&diags);
	return status;
}

int plugin_attach(const struct plugin_call *call, const struct started *started,
		  plugin_answer *answer, void *data, json_t **ret_answer, struct error *error)
{
	struct attaching attaching = {.call = call,
				      .started = started,
				      .answer = answer,
				      .data = data,
				      .ret_answer = ret_answer,
				      .error = error};
	int status = interface_free(call, started, error);
	if (status == 0)
		status = netns_number(started->netns, error);
	return status < 0 ? -EINVAL : files_attach(&attaching, error);
}

static bool declared_by_source(const struct plugin_call *call, const struct started *started,
			       const struct owner_tag *tag)
{
	struct error ignored;
	if (!started->source)
		return false;
	struct desired *desired = plugin_files(call, &ignored);
	const bool other =
		desired && declared_otherwise(desired, tag, started->kind, started->source);
	desired_free(desired);
	return !other;
}

bool plugin_made(const struct plugin_call *call, const struct started *started,
		 const struct owner_tag *tag)
{
	if (!role_in_container(tag->role) || !network_named(tag->set, tag->network, call->network))
		return false;
	return tag->role == ROLE_ATTACH ? declared_by_source(call, started, tag)
					: guest_key_is(tag, started->key);
}

int plugin_detach(const struct plugin_call *call, const struct started *started,
		  struct error *error)
{
	struct netns_link found;
	const int status = netns_link_read(started->netns, started->interface, false,
					   call->options->arena, &found, error);
	/* /proc/PID/ns/net leads to another process when the kernel has reused the id. */
	if (status < 0 && error->code == CODE_NAMESPACE_HOST)
		return 0;
	if (status <= 0 || !plugin_made(call, started, &found.link.tag))
		return status < 0 ? status : 0;
	lease_release(call->options->broker, started->netns, &found);
	const int deleted = netns_link_delete(started->netns, &found.link, error);
	if (deleted == 0)
		lease_file_remove(&found);
	return deleted;
}
