#include "cmd/attach/attach_one.h"
#include "cmd/commands.h"
#include "cmd/exit.h"
#include "cmd/input.h"
#include "cmd/output.h"
#include "container_engine/conmon.h"
#include "container_engine/container_name.h"
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
static bool files_mention(const struct input *inputs, size_t count, const struct starting *starting,
			  struct arena *arena)
{
	const char *digits =
		arena_strndup(arena, starting->id, strnlen(starting->id, ENGINE_ID_DIGITS_LEAST));
	for (size_t i = 0; i < count; i++)
		if (mentions(&inputs[i], starting->name) || mentions(&inputs[i], digits) ||
		    mentions(&inputs[i], starting->service))
			return true;
	return false;
}

/* Only a double-quoted scalar of YAML can have a name without its characters, by a backslash. */
static bool has_escapes(const struct input *inputs, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (memchr(inputs[i].bytes, '\\', inputs[i].size))
			return true;
	return false;
}

static int declared_attach(const struct starting *starting, const struct desired *desired,
			   const struct options *options)
{
	const struct containers containers = starting_declared(starting, desired, options->arena);
	return containers.count ? attach_one(starting, &containers, desired, options)
				: EXIT_CONVERGED;
}

/* Most containers of a host may be in no file: files that do not mention them are not parsed, which
 * takes milliseconds for a thousand others. */
static int hook(const struct starting *starting, const struct options *options)
{
	struct input *inputs;
	size_t count;
	struct diags diags;
	diags_init(&diags);
	const int bad = input_contents(options, options->arena, &inputs, &count, &diags);
	const bool mentioned = files_mention(inputs, count, starting, options->arena);
	int code = mentioned ? EXIT_USAGE : EXIT_CONVERGED;
	if (mentioned || bad || has_escapes(inputs, count)) {
		struct desired *desired = input_parse(options, inputs, count, bad, &diags);
		if (desired)
			code = declared_attach(starting, desired, options);
		else
			input_wrong(options, &diags);
		desired_free(desired);
	}
	diags_free(&diags);
	return code;
}

/* Podman's containers have a monitor process, Docker's a folder of Docker's in their bundle. */
static struct starting starting_of(const struct oci_state *state, struct arena *arena)
{
	struct starting starting = {.kind = SOURCE_PODMAN, .id = state->id, .pid = state->pid};
	starting.name = conmon_find(getpid(), state->id, arena);
	if (starting.name || !state->bundle)
		return starting;
	const struct docker_names names = docker_bundle_names(state->bundle, state->id, arena);
	if (names.name) {
		starting.kind = SOURCE_DOCKER;
		starting.name = names.name;
		starting.service = names.service;
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
	const int code = hook(&starting, options);
	return options->start_anyway ? EXIT_CONVERGED : code;
}
