/* Escapes bytes as text, and back. */
#include "lib/arena.h"
#include "lib/escape.h"
#include "schema/source_text.h"
#include "tests/unit/random.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void test_known(void **state)
{
	static const struct {
		const char *bytes, *text;
	} known[] = {
		{"", ""},
		{"eth0", "eth0"},
		{"a\\b", "a\\b"},
		{"caf\xc3\xa9", "caf\xc3\xa9"},
		{"caf\xe9", "caf\\xe9"},
		{"\xe2\x82", "\\xe2\\x82"},
		{"\xed\xa0\x80", "\\xed\\xa0\\x80"},
		{"\xc0\xaf", "\\xc0\\xaf"},
		{"\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80"},
		{"\x1b[2J", "\\x1b[2J"},
		{"\\x41", "\\x5cx41"},
		{"\\\\x41", "\\\\x5cx41"},
		{"\\x4", "\\x4"},
		{"\\\xff", "\\\\xff"},
	};
	(void)state;
	struct arena *arena = arena_new();
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		assert_string_equal(escape(arena, known[i].bytes, strlen(known[i].bytes)),
				    known[i].text);
	arena_free(arena);
}

/* Random texts of few different bytes, so that ambiguous sequences are frequent. */
static void test_back(void **state)
{
	static const char alphabet[] = "\\\\xx4fgA\xc3\xa9\xe2\x80\xff\x01";
	(void)state;
	random_seed(1);
	for (unsigned round = 0; round < 20000; round++) {
		struct arena *arena = arena_new();
		char bytes[12], back[sizeof(bytes) * 4 + 1];
		size_t size = random_below(sizeof(bytes));
		for (size_t i = 0; i < size; i++)
			bytes[i] = alphabet[random_below(sizeof(alphabet) - 1)];
		const char *text = escape(arena, bytes, size);
		assert_true(text_printable(text, strlen(text)));
		assert_int_equal(unescape(back, text), size);
		assert_memory_equal(back, bytes, size);
		assert_true(escaped(text) || (strlen(text) == size && !memcmp(text, bytes, size)));
		arena_free(arena);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_known),
		cmocka_unit_test(test_back),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
