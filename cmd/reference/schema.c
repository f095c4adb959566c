/* `mvapply schema`: the JSON Schema (draft 2020-12) of the input, from the table of keys. */
#include "cmd/commands.h"
#include "cmd/exit.h"
#include "cmd/output_json.h"
#include "cmd/reference/schema_rules.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct definition {
	const char *name;
	const struct object *object;
} definitions[] = {
	{"network", &network_object},       {"subnet", &subnet_object},
	{"host_access", &host_object},      {"container", &container_object},
	{"attachment", &attachment_object}, {"route", &route_object},
	{"rule", &routing_rule_object},
};

static json_t *reference(const char *name)
{
	char text[64];
	snprintf(text, sizeof(text), "#/$defs/%s", name);
	return json_pack("{s:s}", "$ref", text);
}

static json_t *reference_object(const struct object *object)
{
	for (size_t i = 0; i < sizeof(definitions) / sizeof(*definitions); i++)
		if (definitions[i].object == object)
			return reference(definitions[i].name);
	return NULL;
}

/* An entry or item of a collection. */
static json_t *element(const struct object *object)
{
	return object->plain ? reference(schema_rule_name(object->keys[0].type))
			     : reference_object(object);
}

static json_t *map_of(const struct object *object, json_t *value)
{
	return json_pack("{s:s, s:o, s:o}", "type", "object", "propertyNames",
			 reference(schema_rule_name(object->name_type)), "additionalProperties",
			 value);
}

/* mvapply accepts a number or boolean also in quotes. */
static json_t *number(const struct key *key)
{
	return json_pack("{s:[s,s], s:I, s:I, s:s}", "type", "integer", "string", "minimum",
			 (json_int_t)key->min, "maximum", (json_int_t)key->max, "pattern",
			 "^-?(0|[1-9][0-9]*)$");
}

static json_t *words(const struct key *key)
{
	json_t *names = json_array(), *description = json_array();
	for (const struct word *word = key->words; word->name; word++) {
		json_push(names, json_string(word->name));
		json_push(description, json_string(word->description));
	}
	return json_pack("{s:o, s:o}", "enum", names, "enumDescriptions", description);
}

static json_t *list(const struct key *key)
{
	json_t *schema = json_pack("{s:s, s:o}", "type", "array", "items", element(key->object));
	if (key->min)
		json_put(schema, "minItems", json_integer(key->min));
	if (key->max)
		json_put(schema, "maxItems", json_integer(key->max));
	/* Not `addresses`: a subnet can stand there for several addresses. */
	if (key->object == &host_pattern_object)
		json_put(schema, "uniqueItems", json_true());
	return schema;
}

/* A list of names, or a map of names to options, which may be empty. */
static json_t *names(const struct object *object)
{
	json_t *options = json_pack("{s:[o, {s:s}]}", "anyOf", element(object), "type", "null");
	json_t *map =
		json_pack("{s:s, s:o, s:o}", "type", "object", "propertyNames",
			  reference(schema_rule_name(KEY_NAME)), "additionalProperties", options);
	return json_pack("{s:[{s:s, s:o, s:b}, o]}", "anyOf", "type", "array", "items",
			 reference(schema_rule_name(KEY_NAME)), "uniqueItems", 1, map);
}

static json_t *collection(const struct key *key)
{
	json_t *map = map_of(key->object, element(key->object));
	if (key->deferred && !key->required)
		json_put(map, "type", json_pack("[s,s]", "object", "null"));
	return map;
}

/* One range, a list, or a map of hosts to one of these. */
static json_t *range(const struct key *key)
{
	json_t *items = json_pack("{s:s, s:o, s:i}", "type", "array", "items",
				  reference(schema_rule_name(key->type)), "minItems", 1);
	json_t *forms = json_pack("[o, o]", reference(schema_rule_name(key->type)), items);
	if (key->object) {
		json_t *map = map_of(key->object, range(key->object->keys));
		json_put(map, "minProperties", json_integer(1));
		json_push(forms, map);
	}
	return json_pack("{s:o}", "anyOf", forms);
}

static json_t *boolean(void)
{
	return json_pack("{s:[s,s], s:s}", "type", "boolean", "string", "pattern",
			 "^(true|false)$");
}

static json_t *value(const struct key *key)
{
	switch (key->type) {
	case KEY_BOOL:
		return boolean();
	case KEY_NUMBER:
	case KEY_PID:
		return number(key);
	case KEY_WORD:
		return words(key);
	case KEY_OBJECT:
		return key->or_bool ? json_pack("{s:[o, o]}", "anyOf",
						reference_object(key->object), boolean())
				    : reference_object(key->object);
	case KEY_LIST:
		return list(key);
	case KEY_MAP:
		return collection(key);
	case KEY_NAMES:
		return names(key->object);
	case KEY_RANGE:
	case KEY_EXCLUDE:
		return range(key);
	default:
		return reference(schema_rule_name(key->type));
	}
}

/* A value in the table's spelling, as JSON if it is a value and not a description. */
static json_t *literal(const struct key *key, const char *text)
{
	char *end;
	switch (key->type) {
	case KEY_BOOL:
		return json_boolean(strcmp(text, "true") == 0);
	case KEY_NUMBER:
	case KEY_PID: {
		long long parsed = strtoll(text, &end, 10);
		return end == text || *end ? NULL : json_integer(parsed);
	}
	case KEY_WORD:
		for (const struct word *word = key->words; word->name; word++)
			if (strcmp(word->name, text) == 0)
				return json_string(text);
		return NULL;
	case KEY_OBJECT:
	case KEY_LIST:
	case KEY_MAP:
	case KEY_NAMES:
		return NULL;
	default:
		return strchr(text, ' ') ? NULL : json_string(text);
	}
}

static json_t *property(const struct key *key)
{
	json_t *schema = value(key);
	char description[512];
	snprintf(description, sizeof(description),
		 key->default_text ? "%s. Without it: %s." : "%s.", key->description,
		 key->default_text);
	json_put(schema, "description", json_string(description));
	json_t *without = key->default_text ? literal(key, key->default_text) : NULL;
	if (without)
		json_put(schema, "default", without);
	json_t *example = key->example ? literal(key, key->example) : NULL;
	if (example)
		json_put(schema, "examples", json_pack("[o]", example));
	return schema;
}

static json_t *object_schema(const struct object *object)
{
	json_t *properties = json_object(), *required = json_array();
	for (size_t i = 0; i < object->n_keys; i++) {
		const struct key *key = &object->keys[i];
		json_put(properties, key->name, property(key));
		if (key->required)
			json_push(required, json_string(key->name));
	}
	json_t *schema = json_pack("{s:s, s:s, s:o, s:o, s:b}", "description", object->description,
				   "type", "object", "properties", properties, "required", required,
				   "additionalProperties", 0);
	json_t *relations = schema_relations(object);
	if (relations)
		json_object_update_new(schema, relations);
	return schema;
}

static json_t *schema_definitions(void)
{
	json_t *all = json_object();
	for (size_t i = 0; i < sizeof(definitions) / sizeof(*definitions); i++)
		json_put(all, definitions[i].name, object_schema(definitions[i].object));
	for (enum key_type type = 0; type <= KEY_NAMES; type++)
		if (schema_rule_name(type))
			json_put(all, schema_rule_name(type), schema_rule(type));
	return all;
}

int command_schema(const struct options *options)
{
	(void)options;
	json_t *whole =
		json_pack("{s:s, s:s}", "$schema", "https://json-schema.org/draft/2020-12/schema",
			  "title", "mvapply.yaml");
	json_object_update_new(whole, object_schema(&document_object));
	/* A document may be empty, or contain notes under keys of its own. */
	json_put(whole, "type", json_pack("[s,s]", "object", "null"));
	json_put(whole, "patternProperties", json_pack("{s:b}", "^x-", 1));
	json_put(whole, "$defs", schema_definitions());
	json_write(whole, stdout, JSON_INDENT(2));
	putchar('\n');
	json_decref(whole);
	return EXIT_CONVERGED;
}
