/* Texts in JSON: no unprintable character is written raw, and each text is read back unchanged. */
#include "lib/json_text.h"
#include "lib/printable.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const char *const plain[] = {
	"web", "a b", "caf\xc3\xa9", "\xe5\xae\xb9\xe5\x99\xa8", "\xf0\x9f\x90\xb3", "", "\"\\/",
};

static const struct {
	const char *text, *written;
} escaped[] = {
	{"a\nb", "[\"a\\nb\"]"},
	{"\x1b[2J", "[\"\\u001b[2J\"]"}, /* jansson itself escapes with capital letters */
	{"\x7f", "[\"\\u007f\"]"},
	{"a\xc2\x85\x62", "[\"a\\u0085b\"]"},
	{"\xe2\x80\xa8\xe2\x80\xa9", "[\"\\u2028\\u2029\"]"},
	{"x\xef\xbb\xbf", "[\"x\\ufeff\"]"},
	{"\xd8\x9c", "[\"\\u061c\"]"},
	{"\xf3\xa0\x81\x81", "[\"\\udb40\\udc41\"]"}, /* U+E0041, a tag */
	{"\xf4\x8f\xbf\xbf", "[\"\\udbff\\udfff\"]"}, /* U+10FFFF */
	{"\\u2028", "[\"\\\\u2028\"]"},
};

static char *dump(const char *text, size_t flags)
{
	json_t *list = json_pack("[o]", json_text(text));
	char *written = json_dump(list, flags);
	json_t *again = json_loads(written, 0, NULL);
	assert_non_null(again);
	assert_true(json_equal(again, list));
	json_decref(list);
	json_decref(again);
	return written;
}

static void texts(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(plain) / sizeof(plain[0]); i++) {
		char *written = dump(plain[i], JSON_COMPACT);
		json_t *list = json_pack("[s]", plain[i]);
		char *usual = json_dumps(list, JSON_COMPACT);
		assert_string_equal(written, usual);
		json_decref(list);
		free(usual);
		free(written);
	}
	for (size_t i = 0; i < sizeof(escaped) / sizeof(escaped[0]); i++) {
		char *written = dump(escaped[i].text, JSON_COMPACT);
		assert_int_equal(strcasecmp(written, escaped[i].written), 0);
		free(written);
	}
}

static size_t encode(char *to, uint32_t code)
{
	if (code < 0x80)
		return (size_t)snprintf(to, 5, "%c", (int)code);
	if (code < 0x800)
		return (size_t)snprintf(to, 5, "%c%c", (int)(0xc0 | code >> 6),
					(int)(0x80 | (code & 0x3f)));
	if (code < 0x10000)
		return (size_t)snprintf(to, 5, "%c%c%c", (int)(0xe0 | code >> 12),
					(int)(0x80 | (code >> 6 & 0x3f)),
					(int)(0x80 | (code & 0x3f)));
	return (size_t)snprintf(to, 5, "%c%c%c%c", (int)(0xf0 | code >> 18),
				(int)(0x80 | (code >> 12 & 0x3f)), (int)(0x80 | (code >> 6 & 0x3f)),
				(int)(0x80 | (code & 0x3f)));
}

/* Each Unicode character, in values and in keys. */
static void all(void **state)
{
	char text[8] = "x";
	(void)state;
	for (uint32_t code = 1; code < 0x110000; code++) {
		if (code >= 0xd800 && code < 0xe000)
			continue;
		text[1 + encode(text + 1, code)] = '\0';
		char *written = dump(text, JSON_COMPACT);
		if (!text_printable(written, strlen(written)))
			fail_msg("U+%04X is raw", (unsigned)code);
		free(written);
	}
	json_t *object = json_pack("{s:i}", "a\xe2\x80\xa8", 1);
	char *written = json_dump(object, JSON_COMPACT);
	assert_string_equal(written, "{\"a\\u2028\":1}");
	free(written);
	json_decref(object);
}

/* The lines that jansson makes stay lines. */
static void lines(void **state)
{
	(void)state;
	char *written = dump("\xe2\x80\xa8", JSON_INDENT(2));
	assert_string_equal(written, "[\n  \"\\u2028\"\n]");
	free(written);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(texts),
		cmocka_unit_test(all),
		cmocka_unit_test(lines),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
