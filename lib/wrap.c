#include "lib/wrap.h"

#include "lib/printable.h"

#include <stdbool.h>
#include <string.h>

/* Whether a character of UTF-8 begins at the byte. */
static bool begins(char byte)
{
	return ((unsigned char)byte & 0xC0) != 0x80;
}

static size_t count_characters(const char *text)
{
	size_t count = 0;
	for (; *text; text++)
		count += begins(*text);
	return count;
}

/* How much of the text, in bytes, goes on a line with room for that many characters: to the last
 * blank outside of backquotes, or else the last blank; 0 if there is none. */
static size_t line_length(const char *text, size_t room)
{
	size_t outside = 0, any = 0, at = 0, characters = 0;
	bool quoted = false;
	for (; text[at] && characters <= room; at++) {
		quoted ^= text[at] == '`';
		characters += begins(text[at]);
		if (text[at] != ' ')
			continue;
		any = at;
		outside = quoted ? outside : at;
	}
	if (characters <= room)
		return at;
	return outside ? outside : any;
}

const char *wrap(struct arena *arena, const char *first, unsigned indent, const char *text)
{
	const char *lines = printable(arena, first);
	size_t used = count_characters(lines);
	text = printable(arena, text);
	while (*text) {
		size_t length = line_length(text, used < WRAP_COLUMNS ? WRAP_COLUMNS - used : 0);
		if (!length && used <= indent)
			length = strcspn(text, " "); /* a longer word, whole */
		const char *rest = text + length + strspn(text + length, " ");
		lines = arena_printf(arena, "%s%.*s", lines, (int)length, text);
		if (*rest)
			lines = arena_printf(arena, "%s\n%*s", lines, (int)indent, "");
		text = rest;
		used = indent;
	}
	return lines;
}
