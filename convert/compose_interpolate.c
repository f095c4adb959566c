#include "convert/compose_interpolate.h"

#include "convert/json_read.h"

#include <stdbool.h>
#include <string.h>

#define DEPTH_MAX 16

/* The text that is expanded, and the result. */
struct expansion {
	struct interpolation *by;
	const char *place;
	char *out;
	size_t length;
	unsigned depth;
	bool invalid;  /* it is no template */
	bool required; /* a variable is required, and has no value */
};

static void problem(const struct expansion *expansion, const char *text)
{
	expansion->by->problem(expansion->by->data, expansion->place, text);
}

static void put(struct expansion *expansion, const char *text, size_t length)
{
	struct interpolation *by = expansion->by;
	if (length > by->budget) {
		expansion->invalid = true;
		return;
	}
	by->budget -= length;
	for (size_t i = 0; i < length; i++)
		*array_push(by->arena, expansion->out, expansion->length) = text[i];
}

static bool starts_name(char c)
{
	return c == '_' || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static size_t name_length(const char *text)
{
	size_t length = 0;
	while (starts_name(text[length]) || (length && text[length] >= '0' && text[length] <= '9'))
		length++;
	return length;
}

static void unset(const struct expansion *expansion, const char *name)
{
	problem(expansion,
		arena_printf(expansion->by->arena,
			     "the variable %s is not set, and Compose takes an empty text", name));
}

/* The length up to the brace that closes the one before `text`; SIZE_MAX: there is none. */
static size_t braced_length(const char *text)
{
	unsigned open = 1;
	for (size_t i = 0; text[i]; i++) {
		open += text[i] == '{';
		open -= text[i] == '}';
		if (!open)
			return i;
	}
	return SIZE_MAX;
}

static void expand(struct expansion *expansion, const char *text, size_t length);

/* The text stays as it is, so that the value is not taken for an empty one. */
static void required(struct expansion *expansion, const char *name, const char *reason,
		     size_t length)
{
	expansion->required = true;
	problem(expansion,
		arena_printf(expansion->by->arena, "the variable %s is required, and not set%s%.*s",
			     name, length ? ": " : "", (int)(length < 200 ? length : 200), reason));
}

/* A form ${NAME-WORD}, whose operator may have a colon before it: then an empty value counts as
 * unset. */
static void operation(struct expansion *expansion, const char *name, const char *text,
		      size_t length)
{
	const char *value = json_text_at(expansion->by->variables, name);
	const bool colon = *text == ':', is_set = value && (!colon || *value);
	const char sign = text[colon];
	const char *word = text + colon + 1;
	const size_t size = length - colon - 1;
	if (length < 1U + colon || !strchr("-+?", sign))
		expansion->invalid = true;
	else if (sign == '+' ? is_set : sign == '-' && !is_set)
		expand(expansion, word, size);
	else if (sign == '?' && !is_set)
		required(expansion, name, word, size);
	else if (sign != '+' && value)
		put(expansion, value, strlen(value));
}

/* `text`: behind "${", up to its closing brace. */
static void braced(struct expansion *expansion, const char *text, size_t length)
{
	const size_t named = name_length(text);
	const char *name = arena_strndup(expansion->by->arena, text, named);
	const char *value = json_text_at(expansion->by->variables, name);
	if (!named)
		expansion->invalid = true;
	else if (named < length)
		operation(expansion, name, text + named, length - named);
	else if (value)
		put(expansion, value, strlen(value));
	else
		unset(expansion, name);
}

/* Expands the dollar at `text`; returns the length of the expression. */
static size_t variable(struct expansion *expansion, const char *text)
{
	const size_t named = name_length(text + 1);
	if (text[1] == '$') {
		put(expansion, "$", 1);
		return 2;
	}
	if (text[1] == '{') {
		const size_t length = braced_length(text + 2);
		if (length == SIZE_MAX)
			expansion->invalid = true;
		else
			braced(expansion, text + 2, length);
		return length == SIZE_MAX ? 2 : length + 3;
	}
	if (named)
		braced(expansion, text + 1, named);
	else
		put(expansion, "$", 1);
	return 1 + named;
}

static void expand(struct expansion *expansion, const char *text, size_t length)
{
	if (++expansion->depth > DEPTH_MAX)
		expansion->invalid = true;
	for (size_t at = 0; at < length && !expansion->invalid && !expansion->required;) {
		const char *dollar = memchr(text + at, '$', length - at);
		const size_t plain = dollar ? (size_t)(dollar - text) - at : length - at;
		put(expansion, text + at, plain);
		at += plain;
		if (dollar)
			at += variable(expansion, dollar);
	}
	expansion->depth--;
}

const char *interpolate_text(struct interpolation *by, const char *place, const char *text)
{
	struct expansion expansion = {.by = by, .place = place};
	if (!strchr(text, '$'))
		return text;
	expand(&expansion, text, strlen(text));
	if (expansion.required)
		return text;
	if (!expansion.invalid)
		return arena_strndup(by->arena, expansion.out ? expansion.out : "",
				     expansion.length);
	problem(&expansion,
		arena_printf(by->arena, "%.100s is not a valid template of Compose", text));
	return text;
}

/* The place of a member. Long keys do not make it long: every value has one. */
static const char *place_in(struct arena *arena, const char *place, const char *key)
{
	const bool tag = (unsigned char)*key < ' ';
	return tag || strlen(place) > 160 ? place : arena_printf(arena, "%s.%.64s", place, key);
}

static json_t *interpolated(struct interpolation *by, const char *place, json_t *json)
{
	const char *text = json_string_value(json);
	if (text && strchr(text, '$'))
		return json_string(interpolate_text(by, place, text));
	interpolate_json(by, place, json);
	return NULL;
}

void interpolate_json(struct interpolation *by, const char *place, json_t *json)
{
	for (size_t i = 0; i < json_array_size(json); i++) {
		json_t *new = interpolated(by, place, json_array_get(json, i));
		if (new)
			json_array_set_new(json, i, new);
	}
	json_each (json, member) {
		const char *at = place_in(by->arena, place, json_object_iter_key(member));
		json_t *new = interpolated(by, at, json_object_iter_value(member));
		if (new)
			json_object_iter_set_new(json, member, new);
	}
}
