/* Responses of an engine: each piece is the response to a request, until none is left and the
 * engine cannot be reached; and each is a line of its events. */
#include "container_engine/engine.h"

#include "container_engine/event_parse.h"
#include "container_engine/http.h"
#include "container_engine/json.h"
#include "tests/fuzz/fuzz.h"

#include <errno.h>
#include <string.h>

static struct pieces pieces;

/* The pending request, which is answered when it is waited for. */
static struct {
	engine_http_answer *answer;
	void *data;
} pending_request;

struct engine_request *__wrap_engine_http_begin(struct engine_http *http, enum source_kind kind,
						const char *path, engine_http_answer *answer,
						void *data);
uid_t __wrap_engine_http_user(const struct engine_request *request);
void __wrap_engine_http_wait(struct engine_http *http, int64_t until);

struct engine_request *__wrap_engine_http_begin(struct engine_http *http, enum source_kind kind,
						const char *path, engine_http_answer *answer,
						void *data)
{
	(void)http;
	(void)kind;
	HOLDS(path[0] == '/' && !strchr(path, ' '));
	HOLDS(!pending_request.answer);
	pending_request.answer = answer;
	pending_request.data = data;
	return NULL;
}

uid_t __wrap_engine_http_user(const struct engine_request *request)
{
	(void)request;
	return 0;
}

void __wrap_engine_http_wait(struct engine_http *http, int64_t until)
{
	(void)http;
	(void)until;
	while (pending_request.answer) {
		size_t size;
		engine_http_answer *answer = pending_request.answer;
		const uint8_t *piece = pieces_next(&pieces, &size);
		json_t *json = piece ? engine_json_parse((const char *)piece, size) : NULL;
		struct error error = {0};
		if (!json)
			error_set(&error, EHOSTDOWN, "cannot be reached");
		pending_request.answer = NULL;
		answer(pending_request.data, json, &error);
		json_decref(json);
	}
}

static void inspect(enum source_kind kind, const char *name)
{
	struct engines *engines = engines_new(NULL);
	struct arena *arena = arena_new();
	struct engine_container container = {0};
	struct error error = {0};
	int status = engine_inspect(engines, kind, name, arena, &container, &error);
	if (status == 0)
		HOLDS(container.pid >= 0 && container.sandbox && container.started_at &&
		      strspn(container.id, "0123456789abcdef") == strlen(container.id));
	else
		HOLDS(*error.text);
	engines_free(engines);
	arena_free(arena);
}

static void take(void *data, const struct engine_event *event)
{
	(void)data;
	HOLDS(event->id && *event->id);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	pieces = (struct pieces){.at = data, .left = size};
	inspect(SOURCE_DOCKER, "my-web");
	pieces = (struct pieces){.at = data, .left = size};
	inspect(SOURCE_PODMAN, "shop/web");
	pieces = (struct pieces){.at = data, .left = size};
	for (const uint8_t *piece; (piece = pieces_next(&pieces, &size));)
		(void)engine_event_parse(SOURCE_PODMAN, (const char *)piece, size, take, NULL);
	return 0;
}
