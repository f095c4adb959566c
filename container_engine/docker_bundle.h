/* Finds the name of Docker's container in its bundle: a runtime gets the id alone, and Docker does
 * not answer while it starts the container. */
#ifndef CONTAINER_ENGINE_DOCKER_BUNDLE_H
#define CONTAINER_ENGINE_DOCKER_BUNDLE_H

#include "lib/arena.h"

#include <stdbool.h>
#include <stddef.h>

/* How Docker calls a container. */
struct docker_names {
	const char *name; /* without a slash before it */
	bool networks;    /* Docker is going to connect it to networks of its own */
	const char
		*service; /* Compose's "project/service"; NULL: of no service, or not its first */
};

/* The source of the mount on /etc/hostname in config.json (OCI runtime-spec, config.md, "Mounts"),
 * a file in Docker's folder of the container, whose name is the id; NULL: there is none. In the
 * arena. */
const char *docker_hostname_path(const char *bytes, size_t size, const char *id,
				 struct arena *arena);

/* The names in the config.v2.json of that folder; NULLs: it is not this container's. In the arena.
 */
struct docker_names docker_names_parse(const char *bytes, size_t size, const char *id,
				       struct arena *arena);

/* Both, by the files. `bundle` is the folder with config.json. Only files of user 0 count. */
struct docker_names docker_bundle_names(const char *bundle, const char *id, struct arena *arena);

#endif
