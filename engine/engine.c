#include "engine/engine.h"

#include "base/memory.h"
#include "engine/http.h"
#include "schema/words.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct engines {
	struct engine_http *http[SOURCE_PODMAN + 1];
};

/* One question to one engine. */
struct query {
	struct engine_http *http;
	enum source_kind kind;
	struct arena *arena;
	const char *name; /* as the file has it */
};

struct engines *engines_new(void)
{
	return memory_new(1, sizeof(struct engines));
}

void engines_free(struct engines *engines)
{
	for (size_t i = 0; i < sizeof(engines->http) / sizeof(engines->http[0]); i++)
		engine_http_free(engines->http[i]);
	free(engines);
}

static int malformed(const struct query *query, const char *what, struct error *error)
{
	error_set(error, EBADMSG, "%s answers with %s that is not what it should be",
		  source_kind_name(query->kind), what);
	return error_code(error, CODE_ENGINE_ANSWER);
}

static bool id_plausible(const json_t *json)
{
	const char *id = json_string_value(json);
	size_t length = id ? strlen(id) : 0;
	return length >= 12 && length <= 128 && strspn(id, "0123456789abcdef") == length;
}

/* A member that may be missing, but has its type when it is there. */
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
	return true;
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
		return malformed(query, "a container's State", error);
	if (json_is_true(running) || json_is_true(paused))
		container->pid = (pid_t)json_integer_value(pid);
	return 0;
}

static int container_take(const struct query *query, const json_t *json,
			  struct engine_container *container, struct error *error)
{
	const json_t *id = json_object_get(json, "Id");
	const char *mode;
	if (!id_plausible(id))
		return malformed(query, "a container's Id", error);
	container->id = arena_strdup(query->arena, json_string_value(id));
	if (!text_take(query, json_object_get(json, "HostConfig"), "NetworkMode", &mode))
		return malformed(query, "a container's HostConfig", error);
	container->host_network = strcmp(mode, "host") == 0;
	if (!text_take(query, json_object_get(json, "NetworkSettings"), "SandboxKey",
		       &container->sandbox))
		return malformed(query, "a container's NetworkSettings", error);
	return state_take(query, json_object_get(json, "State"), container, error);
}

static int inspect_one(const struct query *query, const char *name,
		       struct engine_container *ret_container, struct error *error)
{
	struct engine_container container = {0};
	char *escaped = engine_http_escape(name);
	const char *path = arena_printf(query->arena, "/containers/%s/json", escaped);
	json_t *json = NULL;
	free(escaped);
	int status = engine_http_get(query->http, path, &json, error);
	if (status == 0)
		status = container_take(query, json, &container, error);
	json_decref(json);
	if (status == 0)
		*ret_container = container;
	if (status == -ENOENT)
		error_set(error, ENOENT, "%s has no container \"%s\" yet",
			  source_kind_name(query->kind), query->name);
	return status;
}

static bool label_is(const json_t *labels, const char *key, const char *value, size_t length)
{
	const char *label = json_string_value(json_object_get(labels, key));
	return label && strlen(label) == length && strncmp(label, value, length) == 0;
}

/* One of the service's own containers, not one of `compose run`. podman-compose has a label of its
 * own for the project. */
static bool compose_member(const json_t *item, const char *name)
{
	const json_t *labels = json_object_get(item, "Labels");
	size_t length = strcspn(name, "/");
	const char *service = name + length + 1;
	return (label_is(labels, "com.docker.compose.project", name, length) ||
		label_is(labels, "io.podman.compose.project", name, length)) &&
	       label_is(labels, "com.docker.compose.service", service, strlen(service)) &&
	       !label_is(labels, "com.docker.compose.oneoff", "True", 4);
}

/* What people call a container of the listing. */
static const char *member_name(const json_t *item)
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

/* The members of a Compose service: which to take, and how many there are to choose from. */
struct members {
	const char *id;      /* a running one, else any; NULL: there is none */
	size_t running;      /* how many */
	const char *listing; /* of the running ones */
};

static int member_take(const struct query *query, const json_t *item, struct members *members,
		       struct error *error)
{
	const json_t *id = json_object_get(item, "Id");
	const char *state = json_string_value(json_object_get(item, "State"));
	if (!id_plausible(id) || !state)
		return malformed(query, "a list of containers", error);
	if (!compose_member(item, query->name))
		return 0;
	bool running = strcmp(state, "running") == 0 || strcmp(state, "paused") == 0;
	if (!members->id || (running && !members->running))
		members->id = arena_strdup(query->arena, json_string_value(id));
	if (running && members->running++)
		members->listing =
			arena_printf(query->arena, "%s, %s", members->listing, member_name(item));
	else if (running)
		members->listing = arena_strdup(query->arena, member_name(item));
	return 0;
}

static int members_list(const struct query *query, struct members *members, struct error *error)
{
	const char *service = strchr(query->name, '/') + 1;
	json_t *filter = json_pack("{s:[s+]}", "label", "com.docker.compose.service=", service);
	char *text = filter ? json_dumps(filter, JSON_COMPACT) : NULL;
	json_decref(filter);
	if (!text)
		return error_set(error, EILSEQ, "\"%s\" is not UTF-8", query->name);
	char *escaped = engine_http_escape(text);
	const char *path =
		arena_printf(query->arena, "/containers/json?all=true&filters=%s", escaped);
	json_t *json = NULL;
	free(escaped);
	free(text);
	int status = engine_http_get(query->http, path, &json, error);
	if (status == 0 && !json_is_array(json))
		status = malformed(query, "a list of containers", error);
	for (size_t i = 0; status == 0 && i < json_array_size(json); i++)
		status = member_take(query, json_array_get(json, i), members, error);
	json_decref(json);
	return status;
}

static int inspect_service(const struct query *query, struct engine_container *ret_container,
			   struct error *error)
{
	struct members members = {0};
	int status = members_list(query, &members, error);
	if (status < 0)
		return status;
	if (!members.id)
		return error_set(error, ENOENT, "%s has no container of Compose's \"%s\" yet",
				 source_kind_name(query->kind), query->name);
	if (members.running <= 1)
		return inspect_one(query, members.id, ret_container, error);
	error_set(error, ENOTUNIQ, "Compose's \"%s\" runs as %zu containers: %s", query->name,
		  members.running, members.listing);
	error_hint(error, "name one of them: an attachment belongs to one container");
	return error_code(error, CODE_SERVICE_SCALED);
}

static struct engine_http *http_of(struct engines *engines, enum source_kind kind)
{
	if (!engines->http[kind])
		engines->http[kind] = engine_http_new(kind);
	return engines->http[kind];
}

int engine_ask(struct engines *engines, enum source_kind kind, const char *path, json_t **ret_json,
	       struct error *error)
{
	return engine_http_get(http_of(engines, kind), path, ret_json, error);
}

int engine_list(struct engines *engines, enum source_kind kind, struct arena *arena,
		struct engine_member **ret_members, size_t *ret_count, struct error *error)
{
	const struct query query = {.kind = kind, .arena = arena};
	json_t *json = NULL;
	*ret_members = NULL;
	*ret_count = 0;
	int status = engine_ask(engines, kind, "/containers/json", &json, error);
	for (size_t i = 0; status == 0 && i < json_array_size(json); i++) {
		const json_t *item = json_array_get(json, i);
		if (!id_plausible(json_object_get(item, "Id"))) {
			status = malformed(&query, "a list of containers", error);
			break;
		}
		*array_push(arena, *ret_members, *ret_count) = (struct engine_member){
			.id = arena_strdup(arena, json_string_value(json_object_get(item, "Id"))),
			.name = arena_strdup(arena, member_name(item))};
	}
	json_decref(json);
	return status;
}

int engine_inspect(struct engines *engines, enum source_kind kind, const char *name,
		   struct arena *arena, struct engine_container *ret_container, struct error *error)
{
	const struct query query = {
		.http = http_of(engines, kind), .kind = kind, .arena = arena, .name = name};
	return strchr(name, '/') ? inspect_service(&query, ret_container, error)
				 : inspect_one(&query, name, ret_container, error);
}
