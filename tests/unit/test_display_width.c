/* The number of columns of a text, and where it is cut. */
#include "lib/display_width.h"
#include "lib/printable.h"
#include "lib/wrap.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define RONG  "\xe5\xae\xb9"     /* U+5BB9, two columns */
#define WHALE "\xf0\x9f\x90\xb3" /* U+1F433, two columns */
#define GRAVE "\xcc\x80"         /* U+0300, none: it is combined with the previous character */

static const struct {
	const char *text;
	size_t columns;
} rows[] = {
	{"", 0},
	{"web", 3},
	{"caf\xc3\xa9", 4},
	{"cafe" GRAVE, 4},
	{RONG RONG, 4},
	{"\xef\xbd\xb6", 1}, /* U+FF76, a narrow one */
	{"a" WHALE "b", 4},
	{"\xed\x95\x9c", 2}, /* U+D55C */
	{"a\xff\x62", 3},    /* no UTF-8: a question mark */
	{"a\xe5\xae", 3},    /* cut */
	{"\x1b[2J", 4},
	{"\xe2\x80\xa8", 1}, /* U+2028 */
};

static void columns(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (text_columns(rows[i].text) != rows[i].columns)
			fail_msg("%s: %zu columns, not %zu", rows[i].text,
				 text_columns(rows[i].text), rows[i].columns);
}

/* For any number of columns, each text is cut between characters, and as late as possible. */
static void cuts(void **state)
{
	static const char text[] = "a" RONG "e" GRAVE WHALE "\xc3\xa9" RONG;
	static const size_t expected[] = {0, 1, 1, 4, 7, 7, 11, 13, 13, 16, 16};
	char cut[sizeof(text)];
	(void)state;
	for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++) {
		const size_t length = text_fit(text, i);
		assert_int_equal(length, expected[i]);
		memcpy(cut, text, length);
		cut[length] = '\0';
		assert_true(text_printable(cut, length));
		assert_true(text_columns(cut) <= i);
	}
	assert_int_equal(text_fit(text, SIZE_MAX), sizeof(text) - 1);
}

static void pads(void **state)
{
	__attribute__((cleanup(arena_cleanup))) struct arena *arena = arena_new();
	(void)state;
	assert_string_equal(text_pad(arena, RONG, 4), RONG "  ");
	assert_string_equal(text_pad(arena, RONG, 2), RONG);
	assert_string_equal(text_pad(arena, RONG, 1), RONG);
	assert_string_equal(text_pad(arena, "e" GRAVE, 3), "e" GRAVE "  ");
	assert_string_equal(text_pad(arena, "", 1), " ");
}

/* Sentences are wrapped by columns, too. */
static void wraps(void **state)
{
	enum { COLUMNS = 80 };
	char text[40 * sizeof(RONG RONG) + 1];
	__attribute__((cleanup(arena_cleanup))) struct arena *arena = arena_new();
	(void)state;
	for (size_t i = 0, at = 0; i < 40; i++, at += sizeof(RONG RONG))
		memcpy(text + at, RONG RONG " ", sizeof(RONG RONG " "));
	text[sizeof(text) - 2] = '\0';
	char *lines = arena_strdup(arena, wrap(arena, COLUMNS, "", 2, text));
	for (char *line = lines, *end; line; line = end) {
		if ((end = strchr(line, '\n')))
			*end++ = '\0';
		assert_true(text_columns(line) <= COLUMNS);
		assert_true(!end || text_columns(line) > COLUMNS - 5);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(columns),
		cmocka_unit_test(cuts),
		cmocka_unit_test(pads),
		cmocka_unit_test(wraps),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
