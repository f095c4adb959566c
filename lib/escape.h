/* Prints names that are arbitrary bytes (of network namespaces, links, files) as text, and parses
 * them back. A byte that is not part of a printable UTF-8 character is written as \xNN, and so is a
 * backslash before what would read as such an escape. All other names are unchanged. */
#ifndef LIB_ESCAPE_H
#define LIB_ESCAPE_H

#include "lib/arena.h"

#include <stdbool.h>
#include <stddef.h>

const char *escape(struct arena *arena, const char *bytes, size_t size);

/* The bytes again. `to` has room for the text and its terminator; returns how many they are. */
size_t unescape(char *to, const char *text);

/* Whether some of the text stands for a byte. */
bool escaped(const char *text);

#endif
