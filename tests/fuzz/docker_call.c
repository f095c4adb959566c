/* What Docker, or who else has its socket, sends to the plugin: HTTP requests with JSON. */
#include "container_engine/docker_call.h"
#include "container_engine/http_request.h"
#include "tests/fuzz/fuzz.h"

#include <string.h>

static void call_parse(const struct http_request *http)
{
	struct arena *arena = arena_new();
	struct docker_call call;
	struct error error = {0};
	const int status =
		docker_call_parse(http->path, http->body, http->body_size, arena, &call, &error);
	if (status < 0)
		HOLDS(error.code == CODE_DOCKER_METHOD || error.code == CODE_DOCKER_CALL);
	else
		HOLDS(call.method < N_DOCKER_METHODS &&
		      strcmp(docker_method_name(call.method), http->path + 1) == 0);
	if (status == 0 && call.pool.set)
		HOLDS(*call.pool.set && *call.pool.network && *docker_pool_id(&call.pool, arena));
	arena_free(arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct http_request http;
	size_t at = 0;
	int status;
	while ((status = http_request_parse((const char *)data + at, size - at, &http)) > 0) {
		HOLDS(http.size && http.size <= size - at);
		HOLDS(http.body + http.body_size == (const char *)data + at + http.size);
		HOLDS(*http.path == '/' && strlen(http.path) <= HTTP_PATH_MAX);
		call_parse(&http);
		at += http.size;
	}
	HOLDS(status == 0 || (status <= -400 && status > -500));
	return 0;
}
