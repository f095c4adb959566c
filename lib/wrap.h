/* Wraps text at a number of columns. */
#ifndef LIB_WRAP_H
#define LIB_WRAP_H

#include "lib/arena.h"

#include <stdint.h>

/* For a pipe or a file: one line, which other programs can read and search. */
#define WRAP_NEVER SIZE_MAX

/* `first` and the text behind it, with line breaks at blanks where the lines would be wider than
 * `columns`, unless a single word is, and `indent` blanks before each line but the first; what
 * stands in backquotes stays together where that is possible. No newline at the end. */
const char *wrap(struct arena *arena, size_t columns, const char *first, unsigned indent,
		 const char *text);

#endif
