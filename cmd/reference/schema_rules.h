/* What a JSON Schema can say of the values and of the relations between keys, beside what the table
 * of keys (schema/keys.h) tells. The checks themselves are schema/name_rules.c,
 * schema/decode_scalar.c and network.c; tests/schema compares both over every file of tests/input.
 */
#ifndef CMD_REFERENCE_SCHEMA_RULES_H
#define CMD_REFERENCE_SCHEMA_RULES_H

#include "schema/keys.h"

#include <jansson.h>

/* What its definition is called under "$defs"; NULL: the type has none of its own. */
const char *schema_rule_name(enum key_type type);
/* The definition, a new reference. The type has to have a name. */
json_t *schema_rule(enum key_type type);

/* The relations between the object's keys: keywords to add, a new reference; NULL: none. */
json_t *schema_relations(const struct object *object);

#endif
