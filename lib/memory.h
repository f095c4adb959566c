/* Allocation that cannot fail: nothing here has a better answer to being out of memory than to end,
 * and the kernel's state is right at any moment. */
#ifndef LIB_MEMORY_H
#define LIB_MEMORY_H

#include <stddef.h>

/* Gives `memory` back, or ends the process with a message if it is NULL. */
void *memory_or_die(void *memory);

/* Zeroed memory for count elements; the caller frees it. */
void *memory_new(size_t count, size_t size);

#endif
