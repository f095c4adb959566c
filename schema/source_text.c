#include "schema/source_text.h"

#include "lib/display_width.h"

#include <string.h>

/* Characters of a line that are shown before and from the column on. */
#define SHOWN_BEFORE 90
#define SHOWN_AFTER  100

void source_init(struct source *source, const char *file, const char *bytes, size_t size)
{
	size_t tag = size >= 3 && memcmp(bytes, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;
	*source = (struct source){
		.file = file,
		.bytes = size ? bytes + tag : "",
		.size = size - tag,
		.skipped = tag,
		.last = {.line = 1, .column = 1},
	};
}

/* The length of the line break at text[0], 0 if there is none. */
static size_t break_length(const char *text, size_t size)
{
	switch (text[0]) {
	case '\n':
		return 1;
	case '\r':
		return size >= 2 && text[1] == '\n' ? 2 : 1;
	case '\xc2':
		return size >= 2 && text[1] == '\x85' ? 2 : 0;
	case '\xe2':
		return size >= 3 && text[1] == '\x80' && (text[2] == '\xa8' || text[2] == '\xa9')
			       ? 3
			       : 0;
	default:
		return 0;
	}
}

static bool before(const struct position *position, unsigned line, unsigned column)
{
	return position->line < line || (position->line == line && position->column < column);
}

/* Advances by one character. */
static void step(const struct source *source, struct position *position)
{
	const char *text = source->bytes + position->offset;
	size_t left = source->size - position->offset;
	size_t line_break = break_length(text, left);

	position->offset += line_break ? line_break : character_length(text, left);
	position->column++;
	if (line_break) {
		position->line++;
		position->column = 1;
		position->line_start = position->offset;
	}
}

struct position source_find(struct source *source, unsigned line, unsigned column)
{
	struct position *at = &source->last;
	if (!before(at, line, column + 1))
		*at = (struct position){.line = 1, .column = 1};
	while (at->offset < source->size && before(at, line, column)) {
		if (at->line == line &&
		    break_length(source->bytes + at->offset, source->size - at->offset))
			break;
		step(source, at);
	}
	return *at;
}

struct position source_find_offset(struct source *source, size_t offset)
{
	struct position *at = &source->last;
	if (at->offset > offset)
		*at = (struct position){.line = 1, .column = 1};
	while (at->offset < source->size && at->offset < offset)
		step(source, at);
	return *at;
}

/* The start of the excerpt: after the indentation, or a limited number of characters before the
 * column. */
static size_t excerpt_start(const struct source *source, const struct position *position,
			    bool *ret_cut)
{
	const char *bytes = source->bytes;
	size_t start = position->offset;
	for (unsigned i = 0; i < SHOWN_BEFORE && start > position->line_start; i++) {
		start--;
		while (start > position->line_start && ((unsigned char)bytes[start] & 0xc0) == 0x80)
			start--;
	}
	size_t blank = position->line_start;
	while (blank < start && (bytes[blank] == ' ' || bytes[blank] == '\t'))
		blank++;
	*ret_cut = blank < start;
	while (!*ret_cut && start < position->offset &&
	       (bytes[start] == ' ' || bytes[start] == '\t'))
		start++;
	return start;
}

const char *source_excerpt(const struct source *source, const struct position *position,
			   struct arena *arena, unsigned *ret_caret)
{
	char text[(SHOWN_BEFORE + SHOWN_AFTER) * 4 + 8];
	size_t used = 0;
	unsigned caret = 0, after = 0;
	bool cut;

	size_t at = excerpt_start(source, position, &cut);
	if (cut) {
		memcpy(text, "...", 3);
		used = caret = 3;
	}
	while (at < source->size) {
		const char *next = source->bytes + at;
		size_t left = source->size - at, length = character_length(next, left);
		if (break_length(next, left))
			break;
		if (after == SHOWN_AFTER) {
			memcpy(text + used, "...", 3);
			used += 3;
			break;
		}
		if (at < position->offset)
			caret += (unsigned)character_columns(next, length);
		after += at >= position->offset;
		if (character_printable(next, length)) {
			memcpy(text + used, next, length);
			used += length;
		} else {
			text[used++] = *next == '\t' ? ' ' : '?';
		}
		at += length;
	}
	*ret_caret = caret;
	return arena_strndup(arena, text, used);
}
