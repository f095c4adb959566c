/* Makes untrusted text safe to print. Names, reasons and hints come from files, engines, containers
 * and the LAN, and may contain terminal escapes, line ends or bidirectional controls. Each sink
 * (text, log, shell commands, Markdown, graphs) prints what `printable` returns. */
#ifndef LIB_PRINTABLE_H
#define LIB_PRINTABLE_H

#include "lib/arena.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* How many bytes the character at text[0] has: 1 for one that is not valid UTF-8 (RFC 3629: no
 * surrogates, nothing longer than it has to be). */
size_t character_length(const char *text, size_t size);
/* Its number in Unicode; of one that is not valid UTF-8, the byte's lower bits. */
uint32_t character_code(const char *text, size_t length);
/* Whether a person sees it: valid UTF-8, no control character (C0, DEL, C1 with U+0085), no line or
 * paragraph separator, no byte order mark, nothing that turns the direction of writing (UAX 9), no
 * tag and no noncharacter. */
bool character_printable(const char *text, size_t length);
/* Whether that holds for all of it. */
bool text_printable(const char *text, size_t size);
/* Puts a ? for each character that a person does not see. It never gets longer. */
void text_make_printable(char *text);
/* The same; the text itself where it is so already, else a copy in the arena. */
const char *printable(struct arena *arena, const char *text);

#endif
