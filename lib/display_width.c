#include "lib/display_width.h"

#include "lib/printable.h"

#include <locale.h>
#include <pthread.h>
#include <string.h>
#include <wchar.h>

/* The C library's table follows Unicode. glibc needs a locale for it; musl does not. */
static locale_t unicode;

static void locale_open(void)
{
	unicode = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
}

/* Without that locale each character has one column. */
static int wide_columns(uint32_t code)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	pthread_once(&once, locale_open);
	const locale_t before = unicode ? uselocale(unicode) : (locale_t)0;
	const int columns = wcwidth((wchar_t)code);
	if (before)
		(void)uselocale(before);
	return columns < 0 ? 1 : columns;
}

size_t character_columns(const char *text, size_t length)
{
	return length == 1 || !character_printable(text, length)
		       ? 1
		       : (size_t)wide_columns(character_code(text, length));
}

/* Returns the number of bytes; sets *ret_columns to their columns. */
static size_t fit(const char *text, size_t columns, size_t *ret_columns)
{
	size_t at = 0, used = 0, left = strlen(text);
	while (left) {
		const size_t length = character_length(text + at, left);
		const size_t wide = character_columns(text + at, length);
		if (used + wide > columns)
			break;
		used += wide;
		at += length;
		left -= length;
	}
	*ret_columns = used;
	return at;
}

size_t text_columns(const char *text)
{
	size_t columns;
	(void)fit(text, SIZE_MAX, &columns);
	return columns;
}

size_t text_fit(const char *text, size_t columns)
{
	size_t used;
	return fit(text, columns, &used);
}

const char *text_pad(struct arena *arena, const char *text, size_t columns)
{
	const size_t used = text_columns(text);
	return used < columns ? arena_printf(arena, "%s%*s", text, (int)(columns - used), "")
			      : text;
}
