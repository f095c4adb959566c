/* A map from bytes to pointers. The hash is keyed, so hostile keys cannot make it slow. */
#ifndef LIB_HASHMAP_H
#define LIB_HASHMAP_H

#include <stddef.h>

struct index;

/* Room for `expected` entries at once; it grows beyond. The caller frees it with index_free. */
struct index *index_new(size_t expected);
void index_free(struct index *index);

/* For __attribute__((cleanup)): frees *index. */
void index_cleanup(struct index **index);

/* Enters key -> value and returns NULL, or, if the key is there, leaves it and returns its value.
 * The key's bytes have to outlive the index; value is not NULL. */
void *index_put(struct index *index, const void *key, size_t size, void *value);
/* NULL if it is not there. */
void *index_get(const struct index *index, const void *key, size_t size);

/* The same with a text as the key. */
void *index_put_text(struct index *index, const char *key, void *value);
void *index_get_text(const struct index *index, const char *key);

#endif
