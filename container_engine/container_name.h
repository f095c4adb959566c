/* Matches the name in a file with a container. Engines also resolve the prefix of an id. */
#ifndef CONTAINER_ENGINE_CONTAINER_NAME_H
#define CONTAINER_ENGINE_CONTAINER_NAME_H

#include <stdbool.h>

/* The shortest beginning of an id that names a container: as `docker ps` prints ids. */
#define ENGINE_ID_DIGITS_LEAST 12

/* `source` is the container's name, its id, or the first twelve or more digits of its id. `id` and
 * `name` may be NULL, which matches nothing. */
bool engine_name_means(const char *source, const char *id, const char *name);

/* What an engine or runtime knows of a container that it starts. Each may be NULL. */
struct engine_names {
	const char *id, *name;
	const char *other; /* a name that is no name or id of the engine: Compose's service */
};

/* Whether `source` is one of them, or the beginning of the id. */
bool engine_names_include(const struct engine_names *names, const char *source);

/* `source` is too short for the beginning of an id, but an engine can take it for one. */
bool engine_name_ambiguous(const char *source);

/* The name without the leading slash that Docker writes. */
const char *engine_name_bare(const char *name);

#endif
