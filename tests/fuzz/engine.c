/* What an engine says: each piece is the answer to a question, until there is no more and it cannot
 * be reached; and each is a line of its events. */
#include "engine/engine.h"

#include "engine/event.h"
#include "engine/http.h"
#include "tests/fuzz/fuzz.h"

#include <errno.h>
#include <string.h>

static struct pieces pieces;

int __wrap_engine_http_get(struct engine_http *http, const char *path, json_t **ret_json,
			   struct error *error);

int __wrap_engine_http_get(struct engine_http *http, const char *path, json_t **ret_json,
			   struct error *error)
{
	size_t size;
	const uint8_t *piece = pieces_next(&pieces, &size);
	(void)http;
	HOLDS(path[0] == '/' && !strchr(path, ' '));
	*ret_json = piece ? json_loadb((const char *)piece, size, 0, NULL) : NULL;
	return *ret_json ? 0 : error_set(error, EHOSTDOWN, "cannot be reached");
}

static void inspect(enum source_kind kind, const char *name)
{
	struct engines *engines = engines_new();
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
