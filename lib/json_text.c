#include "lib/json_text.h"

#include "lib/escape.h"
#include "lib/memory.h"
#include "lib/printable.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

static atomic_bool lacking;

json_t *json_text(const char *text)
{
	if (!text)
		return json_null();
	json_t *value = json_string(text);
	if (value)
		return value;
	__attribute__((cleanup(arena_cleanup))) struct arena *arena = arena_new();
	return json_string(escape(arena, text, strlen(text)));
}

void json_put(json_t *object, const char *key, json_t *value)
{
	if (json_object_set_new(object, key, value) < 0)
		lacking = true;
}

void json_push(json_t *list, json_t *value)
{
	if (json_array_append_new(list, value) < 0)
		lacking = true;
}

/* As UTF-16 code units (RFC 8259 7): a surrogate pair above U+FFFF. */
static void code_put(FILE *out, uint32_t code)
{
	if (code < 0x10000)
		fprintf(out, "\\u%04x", (unsigned)code);
	else
		fprintf(out, "\\u%04x\\u%04x", (unsigned)(0xd7c0 + (code >> 10)),
			(unsigned)(0xdc00 + (code & 0x3ff)));
}

/* The number of bytes of the text that are written unchanged. jansson writes newlines only between
 * values. */
static size_t plain_length(const char *text, size_t size)
{
	size_t at = 0, length;
	for (; at < size; at += length) {
		length = character_length(text + at, size - at);
		if (text[at] != '\n' && !character_printable(text + at, length))
			break;
	}
	return at;
}

static void text_put(FILE *out, const char *text)
{
	for (size_t left = strlen(text), length; left; text += length, left -= length) {
		length = plain_length(text, left);
		fwrite(text, 1, length, out);
		if (length)
			continue;
		length = character_length(text, left);
		code_put(out, character_code(text, length));
	}
}

int json_write(const json_t *document, FILE *out, size_t flags)
{
	char *text = json_dumps(document, flags);
	if (!text)
		return -1;
	text_put(out, text);
	free(text);
	return ferror(out) ? -1 : 0;
}

char *json_dump(const json_t *document, size_t flags)
{
	char *text = NULL;
	size_t size;
	FILE *out = memory_or_die(open_memstream(&text, &size));
	const int status = json_write(document, out, flags);
	fclose(out);
	if (status == 0)
		return memory_or_die(text);
	free(text);
	return NULL;
}

bool json_whole(void)
{
	return !lacking;
}

json_t *json_sentences(const char *const *sentences, size_t count)
{
	json_t *list = json_array();
	for (size_t i = 0; i < count; i++)
		json_push(list, json_text(sentences[i]));
	return list;
}
