#include "lib/printable.h"

#include <stdint.h>
#include <string.h>

/* Ranges, both ends included. */
static const struct range {
	uint32_t first, last;
} unreadable[] = {
	{0x0000, 0x001f},     {0x007f, 0x009f}, /* C0, DEL, C1 */
	{0x061c, 0x061c},     {0x200e, 0x200f}, /* marks of direction */
	{0x2028, 0x202e},                       /* separators; embeddings, overrides */
	{0x2066, 0x2069},                       /* isolates */
	{0xfeff, 0xfeff},                       /* byte order mark */
	{0xfff9, 0xfffb},                       /* interlinear annotation */
	{0xfffe, 0xffff},                       /* not allowed in XML either */
	{0xe0000, 0xe007f},                     /* tags */
	{0x10fffe, 0x10ffff},
};

static unsigned byte_at(const char *text, size_t at)
{
	return (unsigned char)text[at];
}

/* Whether the second byte can follow the first. */
static bool second_valid(const char *text)
{
	switch (byte_at(text, 0)) {
	case 0xe0:
		return byte_at(text, 1) >= 0xa0;
	case 0xed:
		return byte_at(text, 1) < 0xa0; /* surrogates */
	case 0xf0:
		return byte_at(text, 1) >= 0x90;
	case 0xf4:
		return byte_at(text, 1) < 0x90;
	default:
		return true;
	}
}

size_t character_length(const char *text, size_t size)
{
	unsigned lead = byte_at(text, 0);
	size_t length = lead < 0xc2 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : lead < 0xf5 ? 4 : 1;
	if (length > size)
		return 1;
	for (size_t i = 1; i < length; i++)
		if ((byte_at(text, i) & 0xc0) != 0x80)
			return 1;
	return length == 1 || second_valid(text) ? length : 1;
}

uint32_t character_code(const char *text, size_t length)
{
	static const unsigned masks[] = {0, 0x7f, 0x1f, 0x0f, 0x07};
	uint32_t code = byte_at(text, 0) & masks[length];
	for (size_t i = 1; i < length; i++)
		code = code << 6 | (byte_at(text, i) & 0x3f);
	return code;
}

bool character_printable(const char *text, size_t length)
{
	if (length == 1 && byte_at(text, 0) > 0x7f)
		return false;
	const uint32_t code = character_code(text, length);
	for (size_t i = 0; i < sizeof(unreadable) / sizeof(unreadable[0]); i++)
		if (code >= unreadable[i].first && code <= unreadable[i].last)
			return false;
	return true;
}

bool text_printable(const char *text, size_t size)
{
	for (size_t length; size; text += length, size -= length) {
		length = character_length(text, size);
		if (!character_printable(text, length))
			return false;
	}
	return true;
}

void text_make_printable(char *text)
{
	char *to = text;
	size_t left = strlen(text);
	for (size_t length; left; text += length, left -= length) {
		length = character_length(text, left);
		if (character_printable(text, length)) {
			memmove(to, text, length);
			to += length;
		} else {
			*to++ = '?';
		}
	}
	*to = '\0';
}

const char *printable(struct arena *arena, const char *text)
{
	if (text_printable(text, strlen(text)))
		return text;
	char *copy = arena_strdup(arena, text);
	text_make_printable(copy);
	return copy;
}
