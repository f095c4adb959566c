/* Values of JSON documents. jansson gives NULL for a text that is not UTF-8, and leaves a NULL out
 * of what it is put into without a word: no text from outside is given to it but by json_text, and
 * what is built by json_put and json_push is known to lack nothing (json_whole). */
#ifndef LIB_JSON_TEXT_H
#define LIB_JSON_TEXT_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

/* The text, in which what is not UTF-8 is escaped (lib/escape.h); or null. */
json_t *json_text(const char *text);
/* An array of them. */
json_t *json_sentences(const char *const *sentences, size_t count);

/* Take the value over. */
void json_put(json_t *object, const char *key, json_t *value);
void json_push(json_t *list, json_t *value);

/* False once a value could not be made, in this process. */
bool json_whole(void);

#endif
