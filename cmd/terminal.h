/* What a terminal can show. */
#ifndef CMD_TERMINAL_H
#define CMD_TERMINAL_H

#include "lib/arena.h"

#include <stdbool.h>
#include <stdio.h>

/* Whether the descriptor is a terminal that supports control sequences: TERM is set, and not to
 * "dumb". */
bool terminal_draws(int fd);

/* The width of the terminal that the descriptor is: $COLUMNS if that is a number of columns, else
 * what the kernel knows, else 80. WRAP_NEVER if it is no terminal. */
size_t terminal_columns(int fd);

/* Where text is wrapped: the same, but at least 40. */
size_t terminal_wrap_columns(int fd);

/* wrap (lib/wrap.h) for the terminal that `out` is. An indent that leaves too little of a narrow
 * terminal becomes 4. */
const char *terminal_wrap(struct arena *arena, FILE *out, const char *first, unsigned indent,
			  const char *text);

#endif
