/* The width of a text in terminal columns (wcwidth(3)): two for East Asian wide characters and
 * emoji, none for combining characters. */
#ifndef LIB_DISPLAY_WIDTH_H
#define LIB_DISPLAY_WIDTH_H

#include "lib/arena.h"

#include <stddef.h>

/* The width of the character of that many bytes at text[0] (character_length of lib/printable.h).
 * An unprintable one has one column, since it is written as a question mark. */
size_t character_columns(const char *text, size_t length);
size_t text_columns(const char *text);
/* The number of bytes of the text that fit in that many columns: whole characters only. */
size_t text_fit(const char *text, size_t columns);
/* The text, padded with blanks to that many columns. */
const char *text_pad(struct arena *arena, const char *text, size_t columns);

#endif
