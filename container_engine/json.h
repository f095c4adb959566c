/* Parses an engine's JSON. */
#ifndef CONTAINER_ENGINE_JSON_H
#define CONTAINER_ENGINE_JSON_H

#include <jansson.h>

/* NULL: invalid JSON. jansson refuses NULs, halves of surrogate pairs and bytes that are not UTF-8,
 * so the first two are replaced by U+FFFD and the last by question marks. Callers check the values
 * that they use. */
json_t *engine_json_parse(const char *bytes, size_t size);

/* The string at the key; NULL for anything else. */
const char *engine_json_text(const json_t *object, const char *key);

#endif
