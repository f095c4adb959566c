#include "container_engine/socket_path.h"

#include "schema/words.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SCHEME "unix://"

static const struct engine_kind {
	const char *variable;
	const char *sockets[2]; /* the first existing one */
} kinds[] = {
	[SOURCE_DOCKER] = {"DOCKER_HOST", {"/run/docker.sock", "/var/run/docker.sock"}},
	[SOURCE_PODMAN] = {"CONTAINER_HOST",
			   {"/run/podman/podman.sock", "/var/run/podman/podman.sock"}},
};

int engine_socket_path(enum source_kind kind, const char **ret_path, struct error *error)
{
	const struct engine_kind *row = &kinds[kind];
	const char *value = getenv(row->variable);
	*ret_path = access(row->sockets[0], F_OK) == 0 || access(row->sockets[1], F_OK) != 0
			    ? row->sockets[0]
			    : row->sockets[1];
	if (!value || !*value)
		return 0;
	*ret_path = value + strlen(SCHEME);
	if (strncmp(value, SCHEME, strlen(SCHEME)) == 0 && **ret_path == '/')
		return 0;
	error_set(error, EPROTONOSUPPORT,
		  "%s is \"%.200s\", which is not an engine on this machine", row->variable, value);
	error_hint(error, "run mvapply on the machine of the engine, with %s unset or unix:///PATH",
		   row->variable);
	return error_code(error, CODE_ENGINE_PLACE);
}

size_t engine_sockets(enum source_kind kind, const char *paths[2])
{
	struct error ignored;
	if (engine_socket_path(kind, &paths[0], &ignored) < 0)
		return 0;
	const char *value = getenv(kinds[kind].variable);
	if (value && *value)
		return 1;
	paths[0] = kinds[kind].sockets[0];
	paths[1] = kinds[kind].sockets[1];
	return 2;
}
