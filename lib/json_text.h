/* Builds JSON documents completely or not at all. jansson returns NULL for a text that is not
 * UTF-8, and silently drops a NULL that is put into an object or array. Text from outside therefore
 * goes through json_text, and json_put and json_push record a missing value (json_whole). */
#ifndef LIB_JSON_TEXT_H
#define LIB_JSON_TEXT_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/* The text, in which what is not UTF-8 is escaped (lib/escape.h); or null. */
json_t *json_text(const char *text);
/* An array of them. */
json_t *json_sentences(const char *const *sentences, size_t count);

/* Take the value over. */
void json_put(json_t *object, const char *key, json_t *value);
void json_push(json_t *list, json_t *value);

/* The document as text, by jansson's flags. A character that lib/printable.h does not take for
 * printable is written \uXXXX: jansson escapes C0 alone. The caller frees it; NULL: there is no
 * such text. */
char *json_dump(const json_t *document, size_t flags);
/* The same to a stream. Returns 0, or -1. */
int json_write(const json_t *document, FILE *out, size_t flags);

/* False once a value could not be made, in this process. */
bool json_whole(void);

#endif
