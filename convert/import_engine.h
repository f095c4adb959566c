/* Networks and containers of an engine's API, which Docker's and Podman's have in common. */
#ifndef CONVERT_IMPORT_ENGINE_H
#define CONVERT_IMPORT_ENGINE_H

#include "convert/yaml_tree.h"

#include <jansson.h>
#include <stdbool.h>

/* What differs between the engines. */
struct engine_words {
	const char *name;                          /* "Docker" */
	const char *source;                        /* the key of a container: "docker" */
	const char *advice;                        /* a comment above the containers */
	const char *network_name, *network_driver; /* the keys of a network */
	const char *const *predefined; /* networks that are on every engine, up to NULL */
	/* The network's keys; its driver is a supported one. */
	void (*network)(struct tree *map, const json_t *body);
	/* The keys of an attachment, which `endpoint` describes. */
	void (*endpoint)(struct tree *map, const json_t *endpoint);
};

/* `networks`: a list. `containers`: a list of what the engine says of each. */
struct tree *import_engine(const struct engine_words *words, const json_t *networks,
			   const json_t *containers, struct arena *arena);

#endif
