/* FNV-1a, for hash tables, and for derived names and MAC addresses that must be the same on every
 * run. */
#ifndef LIB_HASH_H
#define LIB_HASH_H

#include <stddef.h>
#include <stdint.h>

#define HASH_START 0xcbf29ce484222325ULL

/* Continues from `hash`; HASH_START for the first piece. */
uint64_t hash_bytes(uint64_t hash, const void *bytes, size_t size);
/* Includes the terminator, so that ("ab", "c") and ("a", "bc") differ. */
uint64_t hash_text(uint64_t hash, const char *text);

#endif
