#include "convert/compose_yaml.h"

#include "convert/json_read.h"
#include "lib/printable.h"

#include <errno.h>
#include <string.h>
#include <yaml.h>

#define DEPTH_MAX 100

struct reader {
	yaml_parser_t parser;
	yaml_event_t event; /* the current one */
	const char *file;
	json_t *anchors; /* their values, by name */
	size_t nodes;
	unsigned depth;
	struct error *error;
};

/* Returns NULL. */
static json_t *fail(const struct reader *reader, const yaml_mark_t *at, const char *text)
{
	error_set(reader->error, EINVAL, "%s:%zu:%zu: %s", reader->file, at->line + 1,
		  at->column + 1, text);
	text_make_printable(reader->error->text);
	error_code(reader->error, CODE_IMPORT_FILE);
	return NULL;
}

static bool next(struct reader *reader)
{
	yaml_event_delete(&reader->event);
	if (yaml_parser_parse(&reader->parser, &reader->event))
		return true;
	fail(reader, &reader->parser.problem_mark,
	     reader->parser.problem ? reader->parser.problem : "the YAML cannot be read");
	return false;
}

size_t compose_nodes(const json_t *json)
{
	size_t count = 1;
	for (size_t i = 0; i < json_array_size(json); i++)
		count += compose_nodes(json_array_get(json, i));
	json_each (json, member)
		count += 1 + compose_nodes(json_object_iter_value(member));
	return count;
}

static unsigned depth_of(const json_t *json)
{
	unsigned deepest = 0;
	for (size_t i = 0; i < json_array_size(json); i++) {
		const unsigned depth = depth_of(json_array_get(json, i));
		deepest = depth > deepest ? depth : deepest;
	}
	json_each (json, member) {
		const unsigned depth = depth_of(json_object_iter_value(member));
		deepest = depth > deepest ? depth : deepest;
	}
	return deepest + 1;
}

/* Counts values that are read or copied; false: too many, or too deep. */
static bool count(struct reader *reader, size_t nodes, unsigned depth)
{
	const yaml_mark_t at = reader->event.start_mark;
	reader->nodes += nodes;
	if (reader->nodes > COMPOSE_NODES_MAX)
		fail(reader, &at, "the file has more than 100000 values, its aliases written out");
	else if (reader->depth + depth > DEPTH_MAX)
		fail(reader, &at, "the nesting is deeper than 100 levels");
	return reader->nodes <= COMPOSE_NODES_MAX && reader->depth + depth <= DEPTH_MAX;
}

/* A copy, since the value of an alias may be changed in one of its places. */
static json_t *alias_read(struct reader *reader)
{
	const char *name = (const char *)reader->event.data.alias.anchor;
	const json_t *value = json_object_get(reader->anchors, name);
	if (!value)
		return fail(reader, &reader->event.start_mark,
			    "the alias has no anchor before it, or is within its own");
	return count(reader, compose_nodes(value), depth_of(value)) ? json_deep_copy(value) : NULL;
}

static bool is_null(const char *text)
{
	static const char *const words[] = {"", "~", "null", "Null", "NULL", NULL};
	return json_key_among(words, text);
}

/* A text, or null. */
static json_t *scalar_read(struct reader *reader)
{
	const char *text = (const char *)reader->event.data.scalar.value;
	const char *tag = (const char *)reader->event.data.scalar.tag;
	const bool plain = reader->event.data.scalar.style == YAML_PLAIN_SCALAR_STYLE &&
			   (!tag || strcmp(tag, YAML_STR_TAG) != 0);
	if (memchr(text, '\0', reader->event.data.scalar.length))
		return fail(reader, &reader->event.start_mark, "the text contains a NUL character");
	json_t *json = plain && is_null(text) ? json_null() : json_string(text);
	return json ? json : fail(reader, &reader->event.start_mark, "the text is not UTF-8");
}

static json_t *value_read(struct reader *reader);

static json_t *sequence_read(struct reader *reader)
{
	json_t *array = json_array();
	while (next(reader)) {
		if (reader->event.type == YAML_SEQUENCE_END_EVENT)
			return array;
		json_t *item = value_read(reader);
		if (!item)
			break;
		json_array_append_new(array, item);
	}
	json_decref(array);
	return NULL;
}

/* YAML's merge key: a map, or several of which the first has precedence. */
static bool merge_put(json_t *sources, json_t *value)
{
	if (json_is_object(value))
		json_array_append(sources, value);
	for (size_t i = 0; i < json_array_size(value); i++) {
		if (!json_is_object(json_array_get(value, i)))
			return false;
		json_array_append(sources, json_array_get(value, i));
	}
	return json_is_object(value) || json_is_array(value);
}

/* Reads the value at the key into the map, or into `sources` where the key is `<<`. */
static bool member_read(struct reader *reader, json_t *object, json_t *sources)
{
	const yaml_mark_t at = reader->event.start_mark;
	const bool merge = reader->event.type == YAML_SCALAR_EVENT &&
			   reader->event.data.scalar.style == YAML_PLAIN_SCALAR_STYLE &&
			   strcmp((const char *)reader->event.data.scalar.value, "<<") == 0;
	json_t *key = value_read(reader), *value = NULL;
	bool good = false;
	if (key && !json_is_string(key) && !json_is_null(key))
		fail(reader, &at, "a key is not a text");
	else if (key && next(reader))
		value = value_read(reader);
	const char *name = json_is_string(key) ? json_string_value(key) : "";
	if (value && merge)
		good = merge_put(sources, value) ||
		       fail(reader, &at, "the merge key `<<` takes a map or a list of maps");
	else if (value && json_object_get(object, name))
		fail(reader, &at, "duplicate key in this map");
	else if (value)
		good = json_object_set(object, name, value) == 0;
	json_decref(key);
	json_decref(value);
	return good;
}

static json_t *mapping_read(struct reader *reader)
{
	json_t *object = json_object(), *sources = json_array();
	bool good = false;
	while (next(reader)) {
		good = reader->event.type == YAML_MAPPING_END_EVENT;
		if (good || !member_read(reader, object, sources))
			break;
	}
	for (size_t i = 0; i < json_array_size(sources); i++)
		json_object_update_missing(object, json_array_get(sources, i));
	json_decref(sources);
	if (good)
		return object;
	json_decref(object);
	return NULL;
}

/* The key that a tag of Compose makes, or NULL. */
static const char *tag_key(const char *tag)
{
	if (tag && strcmp(tag, "!reset") == 0)
		return COMPOSE_RESET;
	return tag && strcmp(tag, "!override") == 0 ? COMPOSE_OVERRIDE : NULL;
}

static json_t *tagged(const char *key, json_t *value)
{
	if (!value || !key)
		return value;
	json_t *object = json_object();
	json_object_set_new(object, key, value);
	return object;
}

static json_t *collection_read(struct reader *reader)
{
	const bool list = reader->event.type == YAML_SEQUENCE_START_EVENT;
	reader->depth++;
	json_t *json = list ? sequence_read(reader) : mapping_read(reader);
	reader->depth--;
	return json;
}

/* The anchor and the tag of the event that begins a value. */
static void properties(const yaml_event_t *event, const char **ret_anchor, const char **ret_tag)
{
	const yaml_char_t *anchor = NULL, *tag = NULL;
	if (event->type == YAML_SCALAR_EVENT) {
		anchor = event->data.scalar.anchor;
		tag = event->data.scalar.tag;
	} else if (event->type == YAML_SEQUENCE_START_EVENT) {
		anchor = event->data.sequence_start.anchor;
		tag = event->data.sequence_start.tag;
	} else if (event->type == YAML_MAPPING_START_EVENT) {
		anchor = event->data.mapping_start.anchor;
		tag = event->data.mapping_start.tag;
	}
	*ret_anchor = (const char *)anchor;
	*ret_tag = (const char *)tag;
}

/* The value that the current event begins; NULL: the error is set. */
static json_t *value_read(struct reader *reader)
{
	const char *anchor, *tag;
	if (reader->event.type == YAML_ALIAS_EVENT)
		return alias_read(reader);
	if (!count(reader, 1, 1))
		return NULL;
	properties(&reader->event, &anchor, &tag);
	char *name = anchor ? strdup(anchor) : NULL;
	const char *key = tag_key(tag);
	json_t *json =
		tagged(key, reader->event.type == YAML_SCALAR_EVENT ? scalar_read(reader)
								    : collection_read(reader));
	if (json && name)
		json_object_set(reader->anchors, name, json);
	free(name);
	return json;
}

/* Each document has anchors of its own. */
static bool document_read(struct reader *reader, json_t *documents)
{
	json_object_clear(reader->anchors);
	json_t *root = next(reader) ? value_read(reader) : NULL;
	if (!root || !next(reader)) {
		json_decref(root);
		return false;
	}
	json_array_append_new(documents, root);
	return true;
}

static bool stream_read(struct reader *reader, json_t *documents)
{
	while (next(reader)) {
		if (reader->event.type == YAML_STREAM_END_EVENT)
			return true;
		if (reader->event.type == YAML_DOCUMENT_START_EVENT &&
		    !document_read(reader, documents))
			return false;
	}
	return false;
}

json_t *compose_yaml_read(const struct input *input, struct error *error)
{
	struct reader reader = {.file = input->file, .error = error};
	json_t *documents = json_array();
	if (!yaml_parser_initialize(&reader.parser)) {
		error_set(error, ENOMEM, "%s: not enough memory", input->file);
		json_decref(documents);
		return NULL;
	}
	reader.anchors = json_object();
	yaml_parser_set_encoding(&reader.parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(&reader.parser, (const unsigned char *)input->bytes,
				     input->size);
	const bool good = stream_read(&reader, documents);
	yaml_event_delete(&reader.event);
	yaml_parser_delete(&reader.parser);
	json_decref(reader.anchors);
	if (good)
		return documents;
	json_decref(documents);
	return NULL;
}
