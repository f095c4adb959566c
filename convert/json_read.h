/* Reads JSON of other programs, whose values may have the wrong type. */
#ifndef CONVERT_JSON_READ_H
#define CONVERT_JSON_READ_H

#include "convert/yaml_tree.h"
#include "lib/ip.h"

#include <jansson.h>
#include <stdint.h>

struct node;

/* A YAML tree as JSON: scalars are texts, empty ones null. The caller releases it with
 * json_decref. */
json_t *json_of_node(const struct node *node);

/* For each member of the object, in its order; none if it is not an object. jansson's iterators
 * take it without const, and do not change it. */
#define json_each(object, member)                                                                  \
	for (void *member = json_object_iter((json_t *)(uintptr_t)(object)); member;               \
	     member = json_object_iter_next((json_t *)(uintptr_t)(object), member))

/* A text, number or truth value as text, in the arena; NULL for anything else. */
const char *json_word(const json_t *json, struct arena *arena);
const char *json_word_at(const json_t *object, const char *key, struct arena *arena);
/* A text, unchanged; NULL for anything else. */
const char *json_text_at(const json_t *object, const char *key);
/* true, "true" or "yes". */
bool json_is_yes(const json_t *object, const char *key);

/* Each reads the value at the key. An invalid value becomes a comment on `at`, and the result is
 * false, as for a missing one. */
bool json_ip_at(const json_t *object, const char *key, struct tree *at, struct ip *ret);
bool json_prefix_at(const json_t *object, const char *key, struct tree *at, struct prefix *ret);
bool json_mac_at(const json_t *object, const char *key, struct tree *at, struct mac *ret);
bool json_number_at(const json_t *object, const char *key, struct tree *at, long long max,
		    long long *ret);

/* Whether the key is one of `keys`, which ends with NULL. */
bool json_key_among(const char *const *keys, const char *key);
/* A comment "KEY: VALUE is not converted" for each key that is not among `known`, which ends with
 * NULL. */
void json_leftovers(const json_t *object, const char *const *known, struct tree *at);
/* The same for one value; a value that does not fit into a comment has one for each of its
 * members. */
void json_unconverted(const char *key, const json_t *value, struct tree *at);

#endif
