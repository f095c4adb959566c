/* Wraps text at the terminal's width. */
#ifndef LIB_WRAP_H
#define LIB_WRAP_H

#include "lib/arena.h"

/* No line that we word ourselves has more columns, unless a single word does. */
#define WRAP_COLUMNS 100

/* `first` and the text behind it, with line breaks at blanks where the lines would be wider than
 * WRAP_COLUMNS, and `indent` blanks before each line but the first; what stands in backquotes stays
 * together where that is possible. No newline at the end. */
const char *wrap(struct arena *arena, const char *first, unsigned indent, const char *text);

#endif
