#include "cmd/attach/attach_one.h"
#include "cmd/attach/files.h"
#include "cmd/commands.h"
#include "cmd/exit.h"
#include "cmd/output.h"
#include "container_engine/conmon.h"
#include "container_engine/docker_bundle.h"
#include "container_engine/oci_state.h"
#include "lib/read_full.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

/* Annotations are part of the state, and an image may have many. */
#define STATE_MAX (1U << 20)

static int state_read(struct arena *arena, struct oci_state *ret_state, struct error *error)
{
	char *bytes;
	const ssize_t size = read_standard_input(arena, STATE_MAX, &bytes, error);
	return size < 0 ? (int)size : oci_state_parse(bytes, (size_t)size, arena, ret_state, error);
}

/* Where the files do not exist, they name no container. */
static bool files_missing(const struct options *options)
{
	for (size_t i = 0; i < options->n_files; i++)
		if (access(options->files[i], F_OK) == 0 || errno != ENOENT)
			return false;
	return true;
}

static bool mentions(const struct input *input, const char *word)
{
	return word && memmem(input->bytes, input->size, word, strlen(word));
}

/* Whether the files have the container's name or id. A mistake in files that do not must not keep
 * all other containers of the host from starting. */
static bool files_mention(const struct attach_files *files, const struct engine_names *names,
			  struct arena *arena)
{
	const char *digits =
		arena_strndup(arena, names->id, strnlen(names->id, ENGINE_ID_DIGITS_LEAST));
	for (size_t i = 0; i < files->count; i++)
		if (mentions(&files->inputs[i], names->name) ||
		    mentions(&files->inputs[i], digits) ||
		    mentions(&files->inputs[i], names->other))
			return true;
	return false;
}

/* Only a double-quoted scalar of YAML can have a name without its characters, by a backslash. */
static bool has_escapes(const struct attach_files *files)
{
	for (size_t i = 0; i < files->count; i++)
		if (memchr(files->inputs[i].bytes, '\\', files->inputs[i].size))
			return true;
	return false;
}

struct hook {
	const struct starting *starting;
	const struct options *options;
};

static int declared_attach(const struct desired *desired, void *data, struct error *error)
{
	const struct hook *hook = data;
	const struct containers containers =
		starting_declared(hook->starting, desired, hook->options->arena);
	(void)error;
	return containers.count ? attach_one(hook->starting, &containers, desired, hook->options)
				: EXIT_CONVERGED;
}

/* Most containers of a host may be in no file: files that do not mention them are not parsed, which
 * takes milliseconds for a thousand others. */
static int hook_run(const struct starting *starting, const struct options *options)
{
	struct error error;
	struct diags diags;
	struct hook hook = {.starting = starting, .options = options};
	diags_init(&diags);
	const struct attach_files files = attach_files_read(options, options->arena, &diags);
	const bool mentioned = files_mention(&files, &starting->container.names, options->arena);
	int code = mentioned ? EXIT_USAGE : EXIT_CONVERGED;
	if (mentioned || files.bad || has_escapes(&files)) {
		const int status = attach_files_with(options, &files, &starting->container,
						     declared_attach, &hook, &diags, &error);
		if (diags.count)
			input_wrong(options, &diags);
		else
			code = status;
	}
	diags_free(&diags);
	return code;
}

/* Podman's containers have a monitor process, Docker's a folder of Docker's in their bundle. */
static struct starting starting_of(const struct oci_state *state, struct arena *arena)
{
	struct starting starting = {.container = {.kind = SOURCE_PODMAN, .names.id = state->id},
				    .pid = state->pid};
	starting.container.names.name = conmon_find(getpid(), state->id, arena);
	if (starting.container.names.name || !state->bundle)
		return starting;
	const struct docker_names names = docker_bundle_names(state->bundle, state->id, arena);
	if (names.name) {
		starting.container.kind = SOURCE_DOCKER;
		starting.container.names.name = names.name;
		starting.container.names.other = names.service;
		starting.engine_links = names.networks;
	}
	return starting;
}

int command_hook(const struct options *options)
{
	struct oci_state state = {.pid = 0};
	struct error error;
	if (files_missing(options))
		return EXIT_CONVERGED;
	if (state_read(options->arena, &state, &error) < 0)
		return run_error(&error, options);
	if (!state.pid)
		return EXIT_CONVERGED;
	const struct starting starting = starting_of(&state, options->arena);
	const int code = hook_run(&starting, options);
	return options->start_anyway ? EXIT_CONVERGED : code;
}
