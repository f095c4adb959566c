/* Converts networks and containers of an engine's API: the common part of Docker's and Podman's. */
#ifndef CONVERT_IMPORT_ENGINE_H
#define CONVERT_IMPORT_ENGINE_H

#include "convert/yaml_tree.h"

#include <jansson.h>
#include <stdbool.h>

/* The differences between the engines. */
struct engine_words {
	const char *name;                          /* "Docker" */
	const char *source;                        /* the key of a container: "docker" */
	const char *advice;                        /* a comment above the containers */
	const char *network_name, *network_driver; /* the keys of a network */
	const char *const *predefined; /* predefined networks of the engine, up to NULL */
	/* Converts the network's keys; its driver is supported. */
	void (*network)(struct tree *map, const json_t *body);
	/* Converts the keys of an attachment, which `endpoint` describes. */
	void (*endpoint)(struct tree *map, const json_t *endpoint);
};

/* `networks`: a list. `containers`: a list of the engine's descriptions. */
struct tree *import_engine(const struct engine_words *words, const json_t *networks,
			   const json_t *containers, struct arena *arena);

#endif
