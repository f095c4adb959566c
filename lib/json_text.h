/* Builds complete JSON documents or none. jansson returns NULL for a text that is not UTF-8, and
 * silently drops a NULL that is put into an object or array. External text therefore goes through
 * json_text, and json_put and json_push record a missing value (json_whole). */
#ifndef LIB_JSON_TEXT_H
#define LIB_JSON_TEXT_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/* The text as a JSON string, with bytes that are not UTF-8 escaped (lib/escape.h); null for
 * NULL. */
json_t *json_text(const char *text);
/* The texts as an array. */
json_t *json_sentences(const char *const *sentences, size_t count);

/* Take ownership of the value. */
void json_put(json_t *object, const char *key, json_t *value);
void json_push(json_t *list, json_t *value);

/* The document as text, with jansson's flags. A character that is not printable (lib/printable.h)
 * is written \uXXXX: jansson escapes C0 only. The caller frees it; NULL if it cannot be
 * serialised. */
char *json_dump(const json_t *document, size_t flags);
/* Writes the document to a stream. Returns 0, or -1. */
int json_write(const json_t *document, FILE *out, size_t flags);

/* False after a value could not be created in this process. */
bool json_whole(void);

#endif
