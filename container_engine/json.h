/* Parses an engine's JSON. */
#ifndef CONTAINER_ENGINE_JSON_H
#define CONTAINER_ENGINE_JSON_H

#include <jansson.h>

/* NULL: it is not JSON. NULs and halves of surrogate pairs in texts and keys come as U+FFFD, and
 * bytes that are not UTF-8 as question marks: jansson refuses them, and what matters is checked by
 * who takes it. */
json_t *engine_json_parse(const char *bytes, size_t size);

/* The text at the key; NULL for anything else. */
const char *engine_json_text(const json_t *object, const char *key);

#endif
