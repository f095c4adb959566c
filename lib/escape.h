/* Names that are bytes (of network namespaces, links, files) as text, and back: a byte that is not
 * part of a printable character of UTF-8 is written \xNN, and so is a backslash in front of what
 * would read like one. All other names are what they are. */
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
