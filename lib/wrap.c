#include "lib/wrap.h"

#include "lib/display_width.h"
#include "lib/printable.h"

#include <stdbool.h>
#include <string.h>

/* The length in bytes of the text's first line of at most that many columns: to the last blank
 * outside of backquotes, otherwise the last blank; 0 if there is none. */
static size_t line_length(const char *text, size_t room)
{
	const size_t fits = text_fit(text, room);
	size_t outside = 0, any = 0;
	bool quoted = false;
	if (!text[fits])
		return fits;
	/* A blank behind what fits is none of the line's. */
	for (size_t at = 0; at <= fits; at++) {
		quoted ^= text[at] == '`';
		if (text[at] != ' ')
			continue;
		any = at;
		outside = quoted ? outside : at;
	}
	return outside ? outside : any;
}

const char *wrap(struct arena *arena, size_t columns, const char *first, unsigned indent,
		 const char *text)
{
	const char *lines = printable(arena, first);
	size_t used = text_columns(lines);
	text = printable(arena, text);
	while (*text) {
		size_t length = line_length(text, used < columns ? columns - used : 0);
		if (!length && used <= indent)
			length = strcspn(text, " "); /* a longer word, whole */
		const char *rest = text + length + strspn(text + length, " ");
		while (*rest && length && text[length - 1] == ' ')
			length--;
		lines = arena_printf(arena, "%s%.*s", lines, (int)length, text);
		if (*rest)
			lines = arena_printf(arena, "%s\n%*s", lines, (int)indent, "");
		text = rest;
		used = indent;
	}
	return lines;
}
