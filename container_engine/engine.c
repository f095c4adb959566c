#include "container_engine/engine.h"

#include "container_engine/internal.h"
#include "lib/cleanup.h"
#include "lib/memory.h"

#include <errno.h>
#include <stdlib.h>

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

void engines_run(struct engines *engines, int64_t until)
{
	engine_http_run(engines->http, until);
}

void engines_wait(struct engines *engines, int64_t until)
{
	engine_http_wait(engines->http, until);
}

/* --- blocking requests */

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

/* As engine_http_send. */
static int request_wait(struct engines *engines, enum source_kind kind, const char *method,
			const char *path, const char *body, json_t **ret_json, struct error *error)
{
	struct waiting waiting = {.error = engines->down[kind]};
	if (!waiting.error.errnum)
		engine_http_send(engines->http, kind, method, path, body, wait_answered, &waiting);
	int status = wait_over(engines, kind, &waiting, error);
	if (status == 0)
		*ret_json = waiting.json;
	return status;
}

int engine_get(struct engines *engines, enum source_kind kind, const char *path, json_t **ret_json,
	       struct error *error)
{
	return request_wait(engines, kind, NULL, path, NULL, ret_json, error);
}

int engine_post(struct engines *engines, enum source_kind kind, const char *path,
		const json_t *body, json_t **ret_json, struct error *error)
{
	cleanup_free char *text = json_dumps(body, JSON_COMPACT);
	return request_wait(engines, kind, NULL, path, text, ret_json, error);
}

int engine_delete(struct engines *engines, enum source_kind kind, const char *path,
		  struct error *error)
{
	json_t *ignored = NULL;
	const int status = request_wait(engines, kind, "DELETE", path, NULL, &ignored, error);
	json_decref(ignored);
	return status;
}

/* --- running containers */

struct listing {
	struct query query;
	engine_listed *report;
	void *data;
};

static int members_take(const struct query *query, const json_t *json,
			struct engine_member **ret_members, size_t *ret_count, struct error *error)
{
	for (size_t i = 0; i < json_array_size(json); i++) {
		const json_t *item = json_array_get(json, i);
		const json_t *id = json_object_get(item, "Id");
		if (!engine_id_plausible(id))
			return engine_malformed(query, "a list of containers", error);
		*array_push(query->arena, *ret_members, *ret_count) = (struct engine_member){
			.id = arena_strdup(query->arena, json_string_value(id)),
			.name = arena_strdup(query->arena, engine_member_name(item))};
	}
	return 0;
}

static void list_answered(void *data, json_t *json, const struct error *failure)
{
	struct listing *listing = data;
	struct engine_member *members = NULL;
	struct error error = *failure;
	size_t count = 0;
	if (json && members_take(&listing->query, json, &members, &count, &error) < 0)
		count = 0;
	listing->report(listing->data, members, count, &error);
	free(listing);
}

void engine_list_begin(struct engines *engines, enum source_kind kind, struct arena *arena,
		       engine_listed *report, void *data)
{
	struct listing *listing = memory_new(1, sizeof(*listing));
	*listing = (struct listing){
		.query = {.kind = kind, .arena = arena}, .report = report, .data = data};
	engine_http_begin(engines->http, kind, "/containers/json", list_answered, listing);
}
