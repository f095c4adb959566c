/* Input of a hook: the state of a container, a command line of a process, and Docker's files. */
#include "container_engine/conmon.h"
#include "container_engine/docker_bundle.h"
#include "container_engine/oci_state.h"
#include "tests/fuzz/fuzz.h"

#include <string.h>

static void state_parse(const uint8_t *data, size_t size)
{
	struct arena *arena = arena_new();
	struct oci_state state;
	struct error error;
	if (oci_state_parse((const char *)data, size, arena, &state, &error) == 0)
		HOLDS(*state.id && state.pid >= 0);
	else
		HOLDS(error.code == CODE_OCI_STATE);
	arena_free(arena);
}

static void bundle_parse(const char *text, size_t size)
{
	struct arena *arena = arena_new();
	const char *path = docker_hostname_path(text, size, "1", arena);
	HOLDS(!path || (*path == '/' && strstr(path, "/1/")));
	(void)docker_names_parse(text, size, "1", arena);
	arena_free(arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *line = (const char *)data;
	const char *name = conmon_name(line, size, "1");
	HOLDS(!name || (name > line && memchr(name, 0, (size_t)(line + size - name))));
	state_parse(data, size);
	bundle_parse(line, size);
	return 0;
}
