/* JSON Schema rules for values and for relations between keys that the table of keys
 * (schema/keys.h) does not contain. The checks themselves are in schema/name_rules.c,
 * schema/decode_scalar.c and schema/network.c; tests/schema compares both over every file of
 * tests/input. */
#ifndef CMD_REFERENCE_SCHEMA_RULES_H
#define CMD_REFERENCE_SCHEMA_RULES_H

#include "schema/keys.h"

#include <jansson.h>

/* The name of its definition under "$defs"; NULL: the type has none of its own. */
const char *schema_rule_name(enum key_type type);
/* The definition, a new reference. The type must have a name. */
json_t *schema_rule(enum key_type type);

/* The relations between the object's keys: keywords to add, a new reference; NULL: none. */
json_t *schema_relations(const struct object *object);

#endif
