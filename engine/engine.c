#include "engine/engine.h"

#include "engine/container_name.h"
#include "engine/http.h"
#include "lib/memory.h"
#include "lib/printable.h"
#include "schema/words.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

struct engines {
	struct engine_http *http;
	struct error down[SOURCE_PODMAN + 1]; /* for who waits for each answer; errnum 0: not */
};

/* What is asked of one engine, and on whose behalf. */
struct query {
	enum source_kind kind;
	struct arena *arena;
	const char *name;                     /* as the file has it */
	const char *preferred;                /* an id, or NULL */
	struct engine_candidates *candidates; /* the caller's, or NULL */
};

struct engine_inquiry {
	struct engines *engines;
	struct query query;
	const char *asked; /* the container: a name, an id or its beginning */
	const char *note;  /* as in struct engine_container */
	bool others;
	struct engine_request *request;
	struct error refusal; /* errnum 0: none */
	engine_inspected *tell;
	void *data;
};

struct engines *engines_new(const struct engine_loop *loop)
{
	struct engines *engines = memory_new(1, sizeof(*engines));
	engines->http = engine_http_new(loop);
	return engines;
}

void engines_free(struct engines *engines)
{
	if (!engines)
		return;
	engine_http_free(engines->http);
	free(engines);
}

void engines_ready(struct engines *engines, int fd, uint32_t ready)
{
	engine_http_ready(engines->http, fd, ready);
}

void engines_timeout(struct engines *engines)
{
	engine_http_timeout(engines->http);
}

void engines_wait(struct engines *engines, int64_t until)
{
	engine_http_wait(engines->http, until);
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

/* A member that may be missing, but is printable text when it is there: it gets into messages and
 * commands. */
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
	if (!text_take(query, json, "Name", &container->name))
		return malformed(query, "a container's Name", error);
	container->name = engine_name_bare(container->name);
	if (!text_take(query, json_object_get(json, "HostConfig"), "NetworkMode", &mode))
		return malformed(query, "a container's HostConfig", error);
	container->host_network = strcmp(mode, "host") == 0;
	if (!text_take(query, json_object_get(json, "NetworkSettings"), "SandboxKey",
		       &container->sandbox))
		return malformed(query, "a container's NetworkSettings", error);
	return state_take(query, json_object_get(json, "State"), container, error);
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
	const char *project = json_object_get(labels, "com.docker.compose.project")
				      ? "com.docker.compose.project"
				      : "io.podman.compose.project";
	return label_is(labels, project, name, length) &&
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

/* One of a Compose service's containers. */
struct member {
	const char *id;
	const char *name; /* what people call it */
	long number;      /* Compose's */
	bool running;
};

struct members {
	struct member *list;
	size_t count, running; /* how many of them run */
	const struct member *preferred;
};

static long member_number(const json_t *item)
{
	const char *label = json_string_value(json_object_get(
		json_object_get(item, "Labels"), "com.docker.compose.container-number"));
	return label && *label && strspn(label, "0123456789") == strlen(label)
		       ? strtol(label, NULL, 10)
		       : LONG_MAX;
}

static int member_take(const struct query *query, const json_t *item, struct members *members,
		       struct error *error)
{
	const json_t *id = json_object_get(item, "Id");
	const char *state = json_string_value(json_object_get(item, "State"));
	if (!id_plausible(id) || !state)
		return malformed(query, "a list of containers", error);
	if (!compose_member(item, query->name))
		return 0;
	const bool running = strcmp(state, "running") == 0 || strcmp(state, "paused") == 0;
	*array_push(query->arena, members->list, members->count) =
		(struct member){.id = arena_strdup(query->arena, json_string_value(id)),
				.name = arena_strdup(query->arena, member_name(item)),
				.number = member_number(item),
				.running = running};
	members->running += running;
	return 0;
}

/* Those that run first, by their numbers. */
static int member_compare(const void *a, const void *b)
{
	const struct member *left = a, *right = b;
	if (left->running != right->running)
		return left->running ? -1 : 1;
	if (left->number != right->number)
		return left->number < right->number ? -1 : 1;
	return strcmp(left->id, right->id);
}

static int members_take(const struct query *query, const json_t *json, struct members *members,
			struct error *error)
{
	int status = json_is_array(json) ? 0 : malformed(query, "a list of containers", error);
	for (size_t i = 0; status == 0 && i < json_array_size(json); i++)
		status = member_take(query, json_array_get(json, i), members, error);
	if (members->count)
		qsort(members->list, members->count, sizeof(*members->list), member_compare);
	for (size_t i = 0; query->preferred && i < members->count; i++)
		if (strcmp(members->list[i].id, query->preferred) == 0)
			members->preferred = &members->list[i];
	return status;
}

/* More are not listed. */
#define LISTED_MAX 10

static int service_scaled(const struct query *query, const struct members *members,
			  struct error *error)
{
	const char *listing = "";
	for (size_t i = 0; i < members->running && i < LISTED_MAX; i++)
		listing = arena_printf(query->arena, "%s%s%s", listing, i ? ", " : "",
				       members->list[i].name);
	error_set(error, ENOTUNIQ, "Compose's \"%s\" runs as %zu containers: %s%s", query->name,
		  members->running, listing, members->running > LISTED_MAX ? ", ..." : "");
	error_hint(error, "name one of them: an attachment belongs to one container");
	return error_code(error, CODE_SERVICE_SCALED);
}

const char *engine_stays(struct arena *arena, const struct error *scaled, const char *name)
{
	char code[CODE_TEXT_SIZE];
	return arena_printf(arena, "%s; its attachments stay with %s [%s]", scaled->text, name,
			    code_format(CODE_SERVICE_SCALED, code));
}

static void candidates_fill(const struct query *query, const struct members *members)
{
	for (size_t i = 0; query->candidates && i < members->running; i++)
		*array_push(query->arena, query->candidates->ids, query->candidates->count) =
			members->list[i].id;
}

/* Gives the id of the container to ask about. */
static int service_find(const struct query *query, const json_t *json,
			struct engine_inquiry *inquiry, const char **ret_id, struct error *error)
{
	struct members members = {0};
	int status = members_take(query, json, &members, error);
	if (status < 0)
		return status;
	if (!members.count)
		return error_set(error, ENOENT, "%s has no container of Compose's \"%s\" yet",
				 source_kind_name(query->kind), query->name);
	const struct member *preferred = members.preferred;
	*ret_id = preferred ? preferred->id : members.list[0].id;
	inquiry->others = preferred && members.running > preferred->running;
	if (members.running < 2)
		return 0;
	status = service_scaled(query, &members, error);
	if (preferred)
		inquiry->note = engine_stays(query->arena, error, preferred->name);
	else
		candidates_fill(query, &members);
	return preferred ? 0 : status;
}

static void inquiry_tell(struct engine_inquiry *inquiry, const struct engine_container *container,
			 const struct error *error)
{
	engine_inspected *tell = inquiry->tell;
	void *data = inquiry->data;
	free(inquiry);
	tell(data, container, error);
}

static void inquiry_absent(struct engine_inquiry *inquiry)
{
	struct error error;
	error_set(&error, ENOENT, "%s has no container \"%s\" yet",
		  source_kind_name(inquiry->query.kind), inquiry->query.name);
	inquiry_tell(inquiry, NULL, &error);
}

static void list_answered(void *data, json_t *json, const struct error *failure)
{
	struct engine_inquiry *inquiry = data;
	const struct error refusal = inquiry->refusal;
	const size_t length = strlen(inquiry->asked);
	size_t alike = 0;
	(void)failure;
	for (size_t i = 0; i < json_array_size(json); i++) {
		const json_t *id = json_object_get(json_array_get(json, i), "Id");
		alike += id_plausible(id) &&
			 strncmp(json_string_value(id), inquiry->asked, length) == 0;
	}
	if (alike > 1)
		inquiry_absent(inquiry);
	else
		inquiry_tell(inquiry, NULL, &refusal);
}

/* Docker answers with status 500 where the ids of several containers begin with the name, and none
 * has the name. */
static void refusal_check(struct engine_inquiry *inquiry, const struct error *refusal)
{
	inquiry->refusal = *refusal;
	inquiry->request = engine_http_begin(inquiry->engines->http, inquiry->query.kind,
					     "/containers/json?all=true", list_answered, inquiry);
}

static void container_answered(void *data, json_t *json, const struct error *failure)
{
	struct engine_inquiry *inquiry = data;
	struct engine_container container = {0};
	struct error error = *failure;
	int status =
		json ? container_take(&inquiry->query, json, &container, &error) : -error.errnum;
	container.note = inquiry->note;
	container.others = inquiry->others;
	container.user = engine_http_user(inquiry->request);
	if (status == -ENOENT)
		inquiry_absent(inquiry);
	else if (status == -EBADMSG && engine_name_ambiguous(inquiry->asked))
		refusal_check(inquiry, &error);
	else if (status < 0)
		inquiry_tell(inquiry, NULL, &error);
	else if (engine_name_means(inquiry->asked, container.id, container.name))
		inquiry_tell(inquiry, &container, &error);
	else
		inquiry_absent(inquiry); /* a stranger, whose id begins with the name */
}

static void container_ask(struct engine_inquiry *inquiry, const char *name)
{
	char *escaped = engine_http_escape(name);
	const char *path = arena_printf(inquiry->query.arena, "/containers/%s/json", escaped);
	free(escaped);
	inquiry->asked = name;
	inquiry->request = engine_http_begin(inquiry->engines->http, inquiry->query.kind, path,
					     container_answered, inquiry);
}

static void service_answered(void *data, json_t *json, const struct error *failure)
{
	struct engine_inquiry *inquiry = data;
	struct error error = *failure;
	const char *id = NULL;
	if (json && service_find(&inquiry->query, json, inquiry, &id, &error) == 0)
		container_ask(inquiry, id);
	else
		inquiry_tell(inquiry, NULL, &error);
}

/* Only the service's containers; all of them where its name cannot be written as JSON. */
static void service_ask(struct engine_inquiry *inquiry)
{
	const char *service = strchr(inquiry->query.name, '/') + 1;
	json_t *filter = json_pack("{s:[s+]}", "label", "com.docker.compose.service=", service);
	char *text = filter ? json_dumps(filter, JSON_COMPACT) : NULL;
	char *escaped = engine_http_escape(text ? text : "{}");
	const char *path =
		arena_printf(inquiry->query.arena, "/containers/json?all=true&filters=%s", escaped);
	json_decref(filter);
	free(text);
	free(escaped);
	inquiry->request = engine_http_begin(inquiry->engines->http, inquiry->query.kind, path,
					     service_answered, inquiry);
}

struct engine_inquiry *engine_inspect_begin(struct engines *engines, enum source_kind kind,
					    const char *name, struct arena *arena,
					    engine_inspected *tell, void *data)
{
	struct engine_inquiry *inquiry = memory_new(1, sizeof(*inquiry));
	*inquiry = (struct engine_inquiry){
		.engines = engines,
		.query = {.kind = kind, .arena = arena, .name = arena_strdup(arena, name)},
		.tell = tell,
		.data = data};
	if (strchr(name, '/'))
		service_ask(inquiry);
	else
		container_ask(inquiry, inquiry->query.name);
	return inquiry;
}

void engine_inquiry_prefer(struct engine_inquiry *inquiry, const char *id,
			   struct engine_candidates *ret_candidates)
{
	inquiry->query.candidates = ret_candidates;
	inquiry->query.preferred = id ? arena_strdup(inquiry->query.arena, id) : NULL;
}

void engine_inquiry_end(struct engine_inquiry *inquiry)
{
	if (!inquiry)
		return;
	engine_http_cancel(inquiry->request);
	free(inquiry);
}

/* --- for who waits for each answer */

struct waiting {
	struct engine_container container;
	json_t *json;
	struct error error; /* errnum 0: answered */
};

static void wait_inspected(void *data, const struct engine_container *container,
			   const struct error *error)
{
	struct waiting *waiting = data;
	if (container)
		waiting->container = *container;
	else
		waiting->error = *error;
}

static void wait_answered(void *data, json_t *json, const struct error *error)
{
	struct waiting *waiting = data;
	if (json)
		waiting->json = json_incref(json);
	else
		waiting->error = *error;
}

static int wait_over(struct engines *engines, enum source_kind kind, struct waiting *waiting,
		     struct error *error)
{
	engines_wait(engines, INT64_MAX);
	const int errnum = waiting->error.errnum;
	if (!errnum)
		return 0;
	if (errnum == EHOSTDOWN || errnum == EACCES)
		engines->down[kind] = waiting->error;
	*error = waiting->error;
	return -errnum;
}

int engine_inspect(struct engines *engines, enum source_kind kind, const char *name,
		   struct arena *arena, struct engine_container *ret_container, struct error *error)
{
	struct waiting waiting = {.error = engines->down[kind]};
	if (!waiting.error.errnum)
		engine_inspect_begin(engines, kind, name, arena, wait_inspected, &waiting);
	int status = wait_over(engines, kind, &waiting, error);
	if (status == 0)
		*ret_container = waiting.container;
	return status;
}

int engine_ask(struct engines *engines, enum source_kind kind, const char *path, json_t **ret_json,
	       struct error *error)
{
	struct waiting waiting = {.error = engines->down[kind]};
	if (!waiting.error.errnum)
		engine_http_begin(engines->http, kind, path, wait_answered, &waiting);
	int status = wait_over(engines, kind, &waiting, error);
	if (status == 0)
		*ret_json = waiting.json;
	return status;
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
