#include "container_engine/json.h"

#include "lib/memory.h"
#include "lib/printable.h"

#include <stdlib.h>
#include <string.h>

#define ESCAPE_LENGTH 6 /* \uXXXX */

/* The UTF-16 code unit of the escape; -1: not an escape. */
static long escape_unit(const char *bytes, size_t size)
{
	char digits[5];
	if (size < ESCAPE_LENGTH || bytes[0] != '\\' || bytes[1] != 'u')
		return -1;
	memcpy(digits, bytes + 2, 4);
	digits[4] = '\0';
	return strspn(digits, "0123456789abcdefABCDEF") == 4 ? strtol(digits, NULL, 16) : -1;
}

static bool high_surrogate(long unit)
{
	return unit >= 0xd800 && unit < 0xdc00;
}

static bool low_surrogate(long unit)
{
	return unit >= 0xdc00 && unit < 0xe000;
}

/* The length of the escape; a surrogate pair counts as one. */
static size_t escape_length(const char *bytes, size_t size)
{
	const long unit = escape_unit(bytes, size);
	if (unit < 0)
		return 2;
	return high_surrogate(unit) && low_surrogate(escape_unit(bytes + ESCAPE_LENGTH,
								 size - ESCAPE_LENGTH))
		       ? 2 * ESCAPE_LENGTH
		       : ESCAPE_LENGTH;
}

/* A backslash escapes the next byte, which may be a backslash. */
static void escapes_replace(char *bytes, size_t size)
{
	for (size_t i = 0, length = 1; i < size; i += length) {
		const long unit = escape_unit(bytes + i, size - i);
		length = bytes[i] == '\\' ? escape_length(bytes + i, size - i) : 1;
		if (unit == 0 ||
		    ((high_surrogate(unit) || low_surrogate(unit)) && length == ESCAPE_LENGTH))
			memcpy(bytes + i, "\\ufffd", ESCAPE_LENGTH);
	}
}

static void invalid_replace(char *bytes, size_t size)
{
	for (size_t i = 0, length; i < size; i += length) {
		length = character_length(bytes + i, size - i);
		if (length == 1 && (unsigned char)bytes[i] >= 0x80)
			bytes[i] = '?';
	}
}

json_t *engine_json_parse(const char *bytes, size_t size)
{
	json_t *json = json_loadb(bytes, size, 0, NULL);
	if (json || !size)
		return json;
	char *copy = memcpy(memory_new(size, 1), bytes, size);
	invalid_replace(copy, size);
	escapes_replace(copy, size);
	json = json_loadb(copy, size, 0, NULL);
	free(copy);
	return json;
}

const char *engine_json_text(const json_t *object, const char *key)
{
	return json_string_value(json_object_get(object, key));
}
