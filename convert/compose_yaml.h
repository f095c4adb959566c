/* Reads YAML as Compose does, with anchors, merge keys and its tags, into JSON. */
#ifndef CONVERT_COMPOSE_YAML_H
#define CONVERT_COMPOSE_YAML_H

#include "lib/error.h"
#include "schema/source_text.h"

#include <jansson.h>

/* A value with one of Compose's tags is a map with this one key: it takes the place of what an
 * earlier file has there (`!override`), or removes it (`!reset`). No YAML key begins so. */
#define COMPOSE_OVERRIDE "\x01override"
#define COMPOSE_RESET    "\x01reset"

/* The largest number of values of a file, its aliases written out: as compose-go has it. */
#define COMPOSE_NODES_MAX 100000

/* The documents of the file, an array; the caller's to json_decref. NULL: the error has the place.
 * Scalars are texts, empty ones null. */
json_t *compose_yaml_read(const struct input *input, struct error *error);

/* How many values it has, itself and all in it. */
size_t compose_nodes(const json_t *json);

#endif
