/* A document to write: maps, lists and scalars in order, with comments. All configurations are
 * written from it, as YAML or as JSON. */
#ifndef CONVERT_YAML_TREE_H
#define CONVERT_YAML_TREE_H

#include "lib/arena.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

struct tree;

/* An empty map; it and its contents are valid as long as the arena. Texts are copied. */
struct tree *tree_new(struct arena *arena);

/* Each appends a value: to a map under the key, or to a list if `key` is NULL. */
struct tree *tree_map(struct tree *to, const char *key);
struct tree *tree_list(struct tree *to, const char *key);
void tree_text(struct tree *to, const char *key, const char *text);
void tree_number(struct tree *to, const char *key, long long number);
void tree_bool(struct tree *to, const char *key, bool value);
/* Appends a comment line, which is not part of the value. */
__attribute__((format(printf, 2, 3))) void tree_comment(struct tree *to, const char *format, ...);
/* The same above `child`, one of its values; NULL: at its end. */
__attribute__((format(printf, 3, 4))) void tree_comment_before(struct tree *to, struct tree *child,
							       const char *format, ...);

/* Whether the map has the key. */
bool tree_has(const struct tree *map, const char *key);
/* Whether it has no values; it may have comments. */
bool tree_empty(const struct tree *tree);
/* The number of comments in it and its contents. */
size_t tree_comments(const struct tree *tree);
/* Calls visit for each comment, in their order, with its path ("networks.lan"). */
typedef void tree_visit(const char *place, const char *text, void *data);
void tree_each_comment(const struct tree *tree, tree_visit *visit, void *data);

/* Writes the map as a YAML document, without the document separator. A text that YAML 1.1 or 1.2
 * reads as another type is quoted. */
void tree_yaml(FILE *out, const struct tree *map);
/* A comment above the documents. */
void tree_yaml_comment(FILE *out, const char *text);
/* The value without its comments; the caller releases it with json_decref. */
json_t *tree_json(const struct tree *tree);

#endif
