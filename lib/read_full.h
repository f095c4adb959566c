/* Reads a descriptor to its end. */
#ifndef LIB_READ_FULL_H
#define LIB_READ_FULL_H

#include "lib/arena.h"
#include "lib/error.h"

#include <stddef.h>
#include <sys/types.h>

/* Reads until the end of the file, or until `room` bytes are read; a signal does not interrupt it.
 * Returns the number of bytes, or -1 with errno. */
ssize_t read_full(int fd, char *bytes, size_t room);

/* The same for the standard input, into the arena. Returns the number of bytes, or a negative
 * errno.
 */
ssize_t read_standard_input(struct arena *arena, size_t room, char **ret_bytes,
			    struct error *error);

#endif
