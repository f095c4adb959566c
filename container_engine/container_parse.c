/* Parses an engine's description of a container. */
#include "container_engine/internal.h"

#include "container_engine/container_name.h"
#include "lib/printable.h"
#include "schema/words.h"

#include <errno.h>
#include <string.h>

int engine_malformed(const struct query *query, const char *what, struct error *error)
{
	error_set(error, EBADMSG, "%s sent an invalid answer: %s", source_kind_name(query->kind),
		  what);
	return error_code(error, CODE_ENGINE_ANSWER);
}

bool engine_id_plausible(const json_t *json)
{
	const char *id = json_string_value(json);
	size_t length = id ? strlen(id) : 0;
	return length >= 12 && length <= 128 && strspn(id, "0123456789abcdef") == length;
}

/* The displayed name of a container in a listing. */
const char *engine_member_name(const json_t *item)
{
	static const char letters[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-";
	const json_t *names = json_object_get(item, "Names");
	const char *name = json_string_value(json_array_get(names, 0));
	name = name && *name == '/' ? name + 1 : name;
	return name && *name && strspn(name, letters) == strlen(name)
		       ? name
		       : json_string_value(json_object_get(item, "Id"));
}

/* An optional member, which must be printable text if present: messages and commands contain it. */
static bool text_take(const struct query *query, const json_t *object, const char *key,
		      const char **ret_text)
{
	const json_t *json = json_object_get(object, key);
	*ret_text = "";
	if (!json || json_is_null(json))
		return true;
	if (!json_is_string(json))
		return false;
	*ret_text = arena_strdup(query->arena, json_string_value(json));
	return text_printable(*ret_text, strlen(*ret_text));
}

static int state_take(const struct query *query, const json_t *state,
		      struct engine_container *container, struct error *error)
{
	const json_t *pid = json_object_get(state, "Pid");
	const json_t *running = json_object_get(state, "Running");
	const json_t *paused = json_object_get(state, "Paused");
	if (!json_is_integer(pid) || !json_is_boolean(running) || json_integer_value(pid) < 0 ||
	    json_integer_value(pid) > INT32_MAX ||
	    !text_take(query, state, "StartedAt", &container->started_at))
		return engine_malformed(query, "a container's State", error);
	if (json_is_true(running) || json_is_true(paused))
		container->pid = (pid_t)json_integer_value(pid);
	return 0;
}

int engine_container_parse(const struct query *query, const json_t *json,
			   struct engine_container *container, struct error *error)
{
	const json_t *id = json_object_get(json, "Id");
	const char *mode;
	if (!engine_id_plausible(id))
		return engine_malformed(query, "a container's Id", error);
	container->id = arena_strdup(query->arena, json_string_value(id));
	if (!text_take(query, json, "Name", &container->name))
		return engine_malformed(query, "a container's Name", error);
	container->name = engine_name_bare(container->name);
	if (!text_take(query, json_object_get(json, "HostConfig"), "NetworkMode", &mode))
		return engine_malformed(query, "a container's HostConfig", error);
	container->host_network = strcmp(mode, "host") == 0;
	if (!text_take(query, json_object_get(json, "NetworkSettings"), "SandboxKey",
		       &container->sandbox))
		return engine_malformed(query, "a container's NetworkSettings", error);
	return state_take(query, json_object_get(json, "State"), container, error);
}
