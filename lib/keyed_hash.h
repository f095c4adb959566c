/* A keyed hash for tables whose keys are untrusted: without the secret, nobody can choose keys that
 * collide. */
#ifndef LIB_KEYED_HASH_H
#define LIB_KEYED_HASH_H

#include <stddef.h>
#include <stdint.h>

/* `secret`: for example the address of the table. It differs between runs. */
uint64_t keyed_hash(uint64_t secret, const void *bytes, size_t size);
/* Includes the terminator, so that ("ab", "c") and ("a", "bc") differ if the hash of one is the
 * secret of the next. */
uint64_t keyed_hash_text(uint64_t secret, const char *text);

#endif
