/* Prints names that are arbitrary bytes (of network namespaces, links, files) as text, and parses
 * them back. A byte that is not part of a printable UTF-8 character is written as \xNN, and so is a
 * backslash before what would read as such an escape. All other names are unchanged. */
#ifndef LIB_ESCAPE_H
#define LIB_ESCAPE_H

#include "lib/arena.h"

#include <stdbool.h>
#include <stddef.h>

const char *escape(struct arena *arena, const char *bytes, size_t size);

/* Converts an escaped text back to bytes. `to` has room for the text and its terminator; returns
 * the number of bytes. */
size_t unescape(char *to, const char *text);

/* Whether the text contains an escape sequence. */
bool escaped(const char *text);

#endif
