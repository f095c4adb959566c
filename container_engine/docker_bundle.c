#include "container_engine/docker_bundle.h"

#include "container_engine/container_name.h"
#include "container_engine/json.h"
#include "lib/cleanup.h"
#include "lib/read_full.h"

#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* A container's configuration has its environment and labels. */
#define FILE_MAX (4U << 20)

/* dockerd writes the folder of a container as CONTAINERS/ID. */
static bool in_folder_of(const char *path, const char *id)
{
	const size_t length = strlen(id);
	const char *end = strrchr(path, '/');
	return *path == '/' && length && end && (size_t)(end - path) > length &&
	       end[-(ptrdiff_t)length - 1] == '/' && strncmp(end - length, id, length) == 0;
}

static const char *mount_source(const json_t *mount, const char *id)
{
	const char *target = engine_json_text(mount, "destination");
	const char *source = engine_json_text(mount, "source");
	return target && source && strcmp(target, "/etc/hostname") == 0 && in_folder_of(source, id)
		       ? source
		       : NULL;
}

const char *docker_hostname_path(const char *bytes, size_t size, const char *id,
				 struct arena *arena)
{
	json_t *json = engine_json_parse(bytes, size);
	const json_t *mounts = json_object_get(json, "mounts");
	const char *found = NULL;
	for (size_t i = 0; i < json_array_size(mounts) && !found; i++)
		found = mount_source(json_array_get(mounts, i), id);
	found = found ? arena_strdup(arena, found) : NULL;
	json_decref(json);
	return found;
}

/* Of a service that runs as several containers, Compose numbers them from 1. */
static const char *service_of(const json_t *labels, struct arena *arena)
{
	const char *project = engine_json_text(labels, "com.docker.compose.project");
	const char *service = engine_json_text(labels, "com.docker.compose.service");
	const char *number = engine_json_text(labels, "com.docker.compose.container-number");
	if (!project || !service || (number && strcmp(number, "1") != 0))
		return NULL;
	return arena_printf(arena, "%s/%s", project, service);
}

/* Docker lists the modes "none" and "host" as networks, too. */
static bool has_networks(const json_t *networks)
{
	const char *name;
	json_t *ignored;
	json_object_foreach((json_t *)(uintptr_t)networks, name,
			    ignored) if (strcmp(name, "none") != 0 &&
					 strcmp(name, "host") != 0) return true;
	return false;
}

struct docker_names docker_names_parse(const char *bytes, size_t size, const char *id,
				       struct arena *arena)
{
	struct docker_names names = {0};
	json_t *json = engine_json_parse(bytes, size);
	const char *its = engine_json_text(json, "ID"), *name = engine_json_text(json, "Name");
	if (its && name && strcmp(its, id) == 0)
		names = (struct docker_names){
			.name = arena_strdup(arena, engine_name_bare(name)),
			.networks = has_networks(json_object_get(
				json_object_get(json, "NetworkSettings"), "Networks")),
			.service = service_of(
				json_object_get(json_object_get(json, "Config"), "Labels"), arena),
		};
	json_decref(json);
	return names;
}

/* NULL: it cannot be read, is too large or another user's. */
static const char *file_read(const char *path, struct arena *arena, size_t *ret_size)
{
	struct stat status;
	cleanup_close int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (fd < 0 || fstat(fd, &status) < 0 || !S_ISREG(status.st_mode) || status.st_uid != 0 ||
	    status.st_size > FILE_MAX)
		return NULL;
	char *bytes = arena_alloc(arena, (size_t)status.st_size + 1);
	const ssize_t got = read_full(fd, bytes, (size_t)status.st_size);
	*ret_size = got > 0 ? (size_t)got : 0;
	return got > 0 ? bytes : NULL;
}

struct docker_names docker_bundle_names(const char *bundle, const char *id, struct arena *arena)
{
	const struct docker_names none = {0};
	size_t size;
	const char *bytes = file_read(arena_printf(arena, "%s/config.json", bundle), arena, &size);
	const char *hostname = bytes ? docker_hostname_path(bytes, size, id, arena) : NULL;
	if (!hostname)
		return none;
	const int folder = (int)(strrchr(hostname, '/') - hostname);
	bytes = file_read(arena_printf(arena, "%.*s/config.v2.json", folder, hostname), arena,
			  &size);
	return bytes ? docker_names_parse(bytes, size, id, arena) : none;
}
