#include "container_engine/container_name.h"

#include <stddef.h>
#include <string.h>

/* The number of digits of the text if it consists of digits, otherwise 0. */
static size_t id_digits(const char *text)
{
	const size_t length = strspn(text, "0123456789abcdef");
	return text[length] ? 0 : length;
}

bool engine_name_means(const char *source, const char *id, const char *name)
{
	if ((name && strcmp(source, name) == 0) || (id && strcmp(source, id) == 0))
		return true;
	const size_t digits = id_digits(source);
	return id && digits >= ENGINE_ID_DIGITS_LEAST && strncmp(source, id, digits) == 0;
}

bool engine_names_include(const struct engine_names *names, const char *source)
{
	return engine_name_means(source, names->id, names->name) ||
	       (names->other && strcmp(source, names->other) == 0);
}

bool engine_name_ambiguous(const char *source)
{
	const size_t digits = id_digits(source);
	return digits && digits < ENGINE_ID_DIGITS_LEAST;
}

const char *engine_name_bare(const char *name)
{
	return name && *name == '/' ? name + 1 : name;
}
