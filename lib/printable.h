/* Makes untrusted text safe to print. Names, reasons and hints come from files, engines, containers
 * and the LAN, and may contain terminal escapes, line ends or bidirectional controls. Each sink
 * (text, log, shell commands, Markdown, graphs) prints what `printable` returns. */
#ifndef LIB_PRINTABLE_H
#define LIB_PRINTABLE_H

#include "lib/arena.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The number of bytes of the character at text[0]: 1 if it is not valid UTF-8 (RFC 3629: no
 * surrogates, no overlong forms). */
size_t character_length(const char *text, size_t size);
/* Its Unicode code point; for one that is not valid UTF-8, the lower bits of the byte. */
uint32_t character_code(const char *text, size_t length);
/* Whether the character is printable: valid UTF-8, no control character (C0, DEL, C1 with U+0085),
 * no line or paragraph separator, no byte order mark, no bidirectional control (UAX 9), no tag and
 * no noncharacter. */
bool character_printable(const char *text, size_t length);
/* Whether all characters of the text are printable. */
bool text_printable(const char *text, size_t size);
/* Replaces each unprintable character by a '?'. The text never gets longer. */
void text_make_printable(char *text);
/* The same for a constant text: returns the text itself if it is printable, otherwise a copy in the
 * arena. */
const char *printable(struct arena *arena, const char *text);

#endif
