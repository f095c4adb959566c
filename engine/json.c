#include "engine/json.h"

#include "lib/memory.h"

#include <stdlib.h>
#include <string.h>

static const char escaped_nul[] = "\\u0000", replacement[] = "\\ufffd";

#define ESCAPE_LENGTH (sizeof(escaped_nul) - 1)

/* A backslash escapes the next byte, which may be a backslash. */
static void nuls_replace(char *bytes, size_t size)
{
	for (size_t i = 0; i + ESCAPE_LENGTH <= size; i++) {
		if (memcmp(bytes + i, escaped_nul, ESCAPE_LENGTH) == 0)
			memcpy(bytes + i, replacement, ESCAPE_LENGTH);
		i += bytes[i] == '\\';
	}
}

json_t *engine_json_parse(const char *bytes, size_t size)
{
	if (!memmem(bytes, size, escaped_nul, ESCAPE_LENGTH))
		return json_loadb(bytes, size, 0, NULL);
	char *copy = memcpy(memory_new(size, 1), bytes, size);
	nuls_replace(copy, size);
	json_t *json = json_loadb(copy, size, 0, NULL);
	free(copy);
	return json;
}

const char *engine_json_text(const json_t *object, const char *key)
{
	return json_string_value(json_object_get(object, key));
}
