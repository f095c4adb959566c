/* Serialises the model's values with the keys of schema/keys.c. Keys with their default value are
 * left out. */
#ifndef CONVERT_MODEL_TO_YAML_H
#define CONVERT_MODEL_TO_YAML_H

#include "convert/yaml_tree.h"
#include "schema/model.h"

/* Each function adds keys to the map. An absent gateway or range is left out, as is a subnet
 * without a prefix. */
void serialise_network(struct tree *map, const struct network *network);
void serialise_source(struct tree *map, const struct container *container);
void serialise_attachment(struct tree *map, const struct attachment *attachment);

#endif
