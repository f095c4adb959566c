/* The width of a text in terminal columns (wcwidth(3)): two for East Asian wide characters and
 * emoji, none for combining characters. */
#ifndef LIB_DISPLAY_WIDTH_H
#define LIB_DISPLAY_WIDTH_H

#include "lib/arena.h"

#include <stddef.h>

/* Of the character at text[0], which has so many bytes (character_length of lib/printable.h). What
 * is not printable has one, since it is written as a question mark. */
size_t character_columns(const char *text, size_t length);
size_t text_columns(const char *text);
/* The bytes of the text that fit in so many columns: whole characters only. */
size_t text_fit(const char *text, size_t columns);
/* The text with blanks behind it, to so many columns. */
const char *text_pad(struct arena *arena, const char *text, size_t columns);

#endif
