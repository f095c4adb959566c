#include "convert/json_read.h"

#include "convert/yaml_tree_internal.h"
#include "lib/display_width.h"
#include "lib/json_text.h"
#include "schema/yaml.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define LEFT_MAX 160 /* limit of a value in a comment, in columns */

static json_t *json_of_mapping(const struct node *mapping)
{
	json_t *object = json_object();
	for (const struct node *key = mapping->first; key; key = key->next->next)
		json_object_set_new(object, key->text, json_of_node(key->next));
	return object;
}

static json_t *json_of_sequence(const struct node *sequence)
{
	json_t *array = json_array();
	for (const struct node *item = sequence->first; item; item = item->next)
		json_array_append_new(array, json_of_node(item));
	return array;
}

json_t *json_of_node(const struct node *node)
{
	if (node_null(node))
		return json_null();
	switch ((enum node_kind)node->kind) {
	case NODE_MAPPING:
		return json_of_mapping(node);
	case NODE_SEQUENCE:
		return json_of_sequence(node);
	case NODE_SCALAR:
		break;
	}
	return json_string(node->text);
}

const char *json_word(const json_t *json, struct arena *arena)
{
	if (json_is_string(json))
		return arena_strdup(arena, json_string_value(json));
	if (json_is_integer(json))
		return arena_printf(arena, "%lld", (long long)json_integer_value(json));
	if (json_is_boolean(json))
		return json_is_true(json) ? "true" : "false";
	return NULL;
}

const char *json_word_at(const json_t *object, const char *key, struct arena *arena)
{
	return json_word(json_object_get(object, key), arena);
}

const char *json_text_at(const json_t *object, const char *key)
{
	return json_string_value(json_object_get(object, key));
}

bool json_is_yes(const json_t *object, const char *key)
{
	const json_t *json = json_object_get(object, key);
	const char *text = json_string_value(json);
	return json_is_true(json) ||
	       (text && (strcasecmp(text, "true") == 0 || strcasecmp(text, "yes") == 0));
}

static void members_unconverted(const char *key, const json_t *value, struct tree *at)
{
	json_each (value, member)
		json_unconverted(
			arena_printf(at->arena, "%s.%s", key, json_object_iter_key(member)),
			json_object_iter_value(member), at);
	for (size_t i = 0; i < json_array_size(value); i++)
		json_unconverted(arena_printf(at->arena, "%s[%zu]", key, i),
				 json_array_get(value, i), at);
}

void json_unconverted(const char *key, const json_t *value, struct tree *at)
{
	char *text = json_dump(value, JSON_COMPACT | JSON_ENCODE_ANY);
	const size_t length = text ? text_fit(text, LEFT_MAX) : 0;
	if (text && text[length] && (json_object_size(value) || json_array_size(value)))
		members_unconverted(key, value, at);
	else
		tree_comment(at, "%s: %.*s%s is not converted", key, (int)length, text ? text : "?",
			     text && text[length] ? "..." : "");
	free(text);
}

bool json_key_among(const char *const *keys, const char *key)
{
	for (; *keys; keys++)
		if (strcmp(*keys, key) == 0)
			return true;
	return false;
}

void json_leftovers(const json_t *object, const char *const *known, struct tree *at)
{
	json_each (object, member)
		if (!json_key_among(known, json_object_iter_key(member)))
			json_unconverted(json_object_iter_key(member),
					 json_object_iter_value(member), at);
}

/* The text at the key; NULL: there is none. */
static const char *text_at(const json_t *object, const char *key, struct tree *at)
{
	const json_t *json = json_object_get(object, key);
	const char *text = json_string_value(json);
	if (json && !text && !json_is_null(json))
		json_unconverted(key, json, at);
	return text && *text ? text : NULL;
}

static bool in_use(bool good, const json_t *object, const char *key, struct tree *at)
{
	if (!good)
		json_unconverted(key, json_object_get(object, key), at);
	return good;
}

bool json_ip_at(const json_t *object, const char *key, struct tree *at, struct ip *ret)
{
	const char *text = text_at(object, key, at);
	return text && in_use(ip_parse(text, ret), object, key, at);
}

bool json_prefix_at(const json_t *object, const char *key, struct tree *at, struct prefix *ret)
{
	const char *text = text_at(object, key, at);
	struct prefix prefix;
	if (!text || !in_use(prefix_parse(text, &prefix), object, key, at))
		return false;
	/* Other programs allow host bits in a prefix, and ignore them. */
	*ret = prefix_subnet(&prefix);
	return true;
}

bool json_mac_at(const json_t *object, const char *key, struct tree *at, struct mac *ret)
{
	const char *text = text_at(object, key, at);
	return text && in_use(mac_parse(text, ret), object, key, at);
}

bool json_number_at(const json_t *object, const char *key, struct tree *at, long long max,
		    long long *ret)
{
	const json_t *json = json_object_get(object, key);
	const char *text = json_string_value(json);
	char *end = NULL;
	errno = 0;
	long long number = text ? strtoll(text, &end, 10) : json_integer_value(json);
	if (!json || json_is_null(json))
		return false;
	if (errno || number > max || number < -max ||
	    (text ? end == text || *end : !json_is_integer(json))) {
		json_unconverted(key, json, at);
		return false;
	}
	*ret = number;
	return true;
}
