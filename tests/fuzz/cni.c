/* Input of the plugins of CNI (CNI_ARGS up to the first line break, and the configuration behind
 * it) and of netavark (the same text). */
#include "container_engine/cni_request.h"
#include "container_engine/json.h"
#include "container_engine/netavark_request.h"
#include "tests/fuzz/fuzz.h"

#include <string.h>

static void request_check(const struct cni_request *request)
{
	HOLDS(*request->network && request->n_files);
	for (size_t i = 0; i < request->n_files; i++)
		HOLDS(*request->files[i] == '/');
	HOLDS(!request->previous || json_is_object(request->previous));
}

static void request_parse(const char *command, const char *args, const char *text, size_t size)
{
	struct arena *arena = arena_new();
	struct cni_request request;
	struct error error;
	const struct cni_environment environment = {.command = command,
						    .container_id = "1",
						    .netns = "/run/netns/web",
						    .ifname = "eth0",
						    .args = args};
	const int status = cni_request_parse(&environment, text, size, arena, &request, &error);
	HOLDS(request.version);
	if (status == 0)
		request_check(&request);
	else
		HOLDS(error.code >= CODE_CNI_VERSION && error.code <= CODE_CNI_CONFIGURATION);
	json_decref(request.previous);
	arena_free(arena);
}

static void netavark_parse(const char *text, size_t size)
{
	struct arena *arena = arena_new();
	json_t *json = engine_json_parse(text, size);
	struct netavark_request request;
	struct error error;
	if (netavark_request_parse(json, arena, &request, &error) == 0)
		HOLDS(*request.network && *request.container_id && *request.interface);
	else
		HOLDS(error.code == CODE_NETAVARK_REQUEST);
	json_decref(json);
	arena_free(arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *line = memchr(data, '\n', size);
	const size_t first = line ? (size_t)(line - data) : 0, rest = line ? first + 1 : 0;
	char args[256];
	const size_t length = first < sizeof(args) - 1 ? first : sizeof(args) - 1;
	memcpy(args, data, length);
	args[length] = '\0';
	request_parse("ADD", args, (const char *)data + rest, size - rest);
	request_parse("GC", args, (const char *)data + rest, size - rest);
	netavark_parse((const char *)data + rest, size - rest);
	return 0;
}
