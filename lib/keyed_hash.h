/* A keyed hash for tables whose keys others choose: without the secret, nobody can choose keys that
 * collide. */
#ifndef LIB_KEYED_HASH_H
#define LIB_KEYED_HASH_H

#include <stddef.h>
#include <stdint.h>

/* `secret`: the address of the table, say. It differs from run to run. */
uint64_t keyed_hash(uint64_t secret, const void *bytes, size_t size);
/* Includes the terminator, so that ("ab", "c") and ("a", "bc") differ, where one is the secret of
 * the next. */
uint64_t keyed_hash_text(uint64_t secret, const char *text);

#endif
