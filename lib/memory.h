/* Allocation that cannot fail: the process ends if memory is exhausted. The kernel's state is
 * consistent at any moment. */
#ifndef LIB_MEMORY_H
#define LIB_MEMORY_H

#include <stddef.h>

/* Returns `memory`, or ends the process with a message if it is NULL. */
void *memory_or_die(void *memory);

/* Zeroed memory for count elements; the caller frees it. */
void *memory_new(size_t count, size_t size);

/* All threads share one heap, as they mostly wait: glibc gives each of the first threads a heap of
 * its own, whose free memory no other thread uses. Large arrays stay apart from it, so that they
 * grow without a copy (arena_grow): glibc would raise the limit with each that is freed. Before the
 * first thread. */
void memory_share(void);

#endif
