#include "convert/unit_file.h"

#include <stdbool.h>
#include <string.h>

#define BLANK " \t\r"

struct text {
	const char *at;
	size_t size;
};

static struct text trimmed(struct text text)
{
	while (text.size && strchr(BLANK, *text.at)) {
		text.at++;
		text.size--;
	}
	while (text.size && strchr(BLANK, text.at[text.size - 1]))
		text.size--;
	return text;
}

/* The first line of *rest, which is advanced behind it. */
static struct text line_take(struct text *rest)
{
	const char *end = memchr(rest->at, '\n', rest->size);
	const struct text line = {rest->at, end ? (size_t)(end - rest->at) : rest->size};
	const size_t used = line.size + (end ? 1 : 0);
	*rest = (struct text){rest->at + used, rest->size - used};
	return trimmed(line);
}

static bool is_comment(struct text line)
{
	return line.size && (*line.at == '#' || *line.at == ';');
}

static json_t *member(json_t *object, const char *key, json_t *(*make)(void))
{
	if (!json_object_get(object, key))
		json_object_set_new(object, key, make());
	return json_object_get(object, key);
}

static void assign(json_t *section, const char *line)
{
	const char *equals = strchr(line, '=');
	if (!section || !equals)
		return;
	const struct text key = trimmed((struct text){line, (size_t)(equals - line)});
	const struct text value = trimmed((struct text){equals + 1, strlen(equals + 1)});
	json_t *name = json_stringn(key.at, key.size), *text = json_stringn(value.at, value.size);
	if (name && text && key.size) {
		json_t *values = member(section, json_string_value(name), json_array);
		if (value.size)
			json_array_append(values, text);
		else
			json_array_clear(values);
	}
	json_decref(name);
	json_decref(text);
}

/* Adds the line to `whole`; true: a backslash at its end joins the next one to it. */
static bool line_join(json_t **whole, struct text line)
{
	const bool more = line.size && line.at[line.size - 1] == '\\';
	json_t *part = json_stringn(line.at, line.size - more);
	json_t *joined = json_sprintf("%s%s%s", *whole ? json_string_value(*whole) : "",
				      *whole ? " " : "", part ? json_string_value(part) : "");
	json_decref(part);
	json_decref(*whole);
	*whole = joined;
	return more;
}

static json_t *section_of(json_t *unit, const char *line, json_t *section)
{
	const size_t length = strlen(line);
	if (length < 3 || line[0] != '[' || line[length - 1] != ']') {
		assign(section, line);
		return section;
	}
	json_t *name = json_stringn(line + 1, length - 2);
	section = name ? member(unit, json_string_value(name), json_object) : NULL;
	json_decref(name);
	return section;
}

json_t *unit_file_read(const char *text, size_t size)
{
	json_t *unit = json_object(), *section = NULL, *whole = NULL;
	for (struct text rest = {text, size}; rest.size;) {
		const struct text line = line_take(&rest);
		if (is_comment(line) || (line_join(&whole, line) && rest.size))
			continue;
		section = section_of(unit, whole ? json_string_value(whole) : "", section);
		json_decref(whole);
		whole = NULL;
	}
	json_decref(whole);
	return unit;
}
