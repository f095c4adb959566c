#include "lib/escape.h"

#include "lib/printable.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#define ESCAPE_LENGTH 4 /* \xNN */

/* The terminator is not a digit: nothing behind it is read. */
static bool is_escape(const char *text)
{
	return text[0] == '\\' && text[1] == 'x' && isxdigit((unsigned char)text[2]) &&
	       isxdigit((unsigned char)text[3]);
}

static bool is_plain(const char *text, size_t length)
{
	return character_printable(text, length) && !is_escape(text);
}

static size_t escaped_size(const char *text, size_t size)
{
	size_t escaped_size = 0;
	for (size_t at = 0, length; at < size; at += length) {
		length = character_length(text + at, size - at);
		escaped_size += is_plain(text + at, length) ? length : ESCAPE_LENGTH * length;
	}
	return escaped_size;
}

const char *escape(struct arena *arena, const char *bytes, size_t size)
{
	const char *text = arena_strndup(arena, bytes, size);
	const size_t needed = escaped_size(text, size);
	if (needed == size)
		return text;
	char *const start = arena_alloc(arena, needed + 1), *to = start;
	for (size_t at = 0, length; at < size; at += length) {
		length = character_length(text + at, size - at);
		if (is_plain(text + at, length))
			to = (char *)mempcpy(to, text + at, length);
		else
			for (size_t i = 0; i < length; i++)
				to += sprintf(to, "\\x%02x", (unsigned)(unsigned char)text[at + i]);
	}
	*to = '\0';
	return start;
}

static unsigned digit(char character)
{
	const int c = (unsigned char)character;
	return (unsigned)(isdigit(c) ? c - '0' : tolower(c) - 'a' + 10);
}

size_t unescape(char *to, const char *text)
{
	char *const start = to;
	while (*text) {
		const bool escaped = is_escape(text);
		*to++ = escaped ? (char)(digit(text[2]) << 4 | digit(text[3])) : *text;
		text += escaped ? ESCAPE_LENGTH : 1;
	}
	*to = '\0';
	return (size_t)(to - start);
}

bool escaped(const char *text)
{
	while ((text = strchr(text, '\\')) && !is_escape(text))
		text++;
	return text != NULL;
}
