/* A map from bytes to pointers. The hash is keyed, so hostile keys cannot make it slow. */
#ifndef LIB_HASHMAP_H
#define LIB_HASHMAP_H

#include <stddef.h>

struct index;

/* Room for `expected` entries; it grows as needed. The caller frees it with index_free. */
struct index *index_new(size_t expected);
void index_free(struct index *index);

/* For __attribute__((cleanup)): frees *index. */
void index_cleanup(struct index **index);

/* Adds key -> value and returns NULL; if the key exists, leaves its entry unchanged and returns its
 * value. The key's bytes must outlive the index; value is not NULL. */
void *index_put(struct index *index, const void *key, size_t size, void *value);
/* NULL if the key does not exist. */
void *index_get(const struct index *index, const void *key, size_t size);

/* The same, with a string as the key. */
void *index_put_text(struct index *index, const char *key, void *value);
void *index_get_text(const struct index *index, const char *key);

#endif
