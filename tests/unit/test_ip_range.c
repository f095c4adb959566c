/* Ranges of addresses: text, lists without exclusions, and the way through them. */
#include "lib/ip_range.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

/* "A-B A-B ...". */
static struct ip_ranges ranges_of(struct arena *arena, const char *text)
{
	struct ip_ranges ranges = {0};
	while (*text) {
		const size_t length = strcspn(text, " ");
		const char *one = arena_strndup(arena, text, length);
		assert_true(ip_range_parse(one, array_push(arena, ranges.items, ranges.count)));
		text += length + (text[length] == ' ');
	}
	return ranges;
}

static const char *text_of(struct arena *arena, const struct ip_ranges *ranges)
{
	const char *text = "";
	char one[IP_RANGE_TEXT_SIZE];
	for (size_t i = 0; i < ranges->count; i++)
		text = arena_printf(arena, "%s%s%s", text, *text ? " " : "",
				    ip_range_format(&ranges->items[i], one));
	return text;
}

static void ranges_without_exclusions(void **state)
{
	static const struct {
		const char *all, *excluded, *left;
	} cases[] = {
		{"10.0.0.0-10.0.0.255", "", "10.0.0.0/24"},
		{"10.0.0.4-10.0.0.9 10.0.0.10-10.0.0.20", "", "10.0.0.4-10.0.0.20"},
		{"10.0.0.40-10.0.0.50 10.0.0.4-10.0.0.9", "",
		 "10.0.0.4-10.0.0.9 10.0.0.40-10.0.0.50"},
		{"10.0.0.4-10.0.0.9", "10.0.0.4-10.0.0.4", "10.0.0.5-10.0.0.9"},
		{"10.0.0.4-10.0.0.9", "10.0.0.9-10.0.0.30", "10.0.0.4-10.0.0.8"},
		{"10.0.0.4-10.0.0.9", "10.0.0.6-10.0.0.7", "10.0.0.4/31 10.0.0.8/31"},
		{"10.0.0.4-10.0.0.9", "10.0.0.7-10.0.0.7 10.0.0.5-10.0.0.5",
		 "10.0.0.4/32 10.0.0.6/32 10.0.0.8/31"},
		{"10.0.0.4-10.0.0.9", "10.0.0.0-10.0.0.255", ""},
		{"10.0.0.4-10.0.0.9 10.0.0.20-10.0.0.29", "10.0.0.8-10.0.0.21",
		 "10.0.0.4/30 10.0.0.22-10.0.0.29"},
		{"10.0.0.4-10.0.0.9", "fd00::-fd00::ffff", "10.0.0.4-10.0.0.9"},
		{"fd00::-fd00::ffff 10.0.0.4-10.0.0.9", "fd00::8000-fd00::ffff 10.0.0.5-10.0.0.9",
		 "10.0.0.4/32 fd00::/113"},
		{"255.255.255.0-255.255.255.255 ::-::1", "", "255.255.255.0/24 ::/127"},
		{"255.255.255.250-255.255.255.255", "255.255.255.255-255.255.255.255",
		 "255.255.255.250-255.255.255.254"},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct arena *arena = arena_new();
		const struct ip_ranges all = ranges_of(arena, cases[i].all),
				       excluded = ranges_of(arena, cases[i].excluded),
				       left = ip_ranges_without(&all, &excluded, arena);
		assert_string_equal(text_of(arena, &left), cases[i].left);
		arena_free(arena);
	}
}

static void ranges_are_walked_in_both_directions(void **state)
{
	static const char *const way[] = {"10.0.0.4", "10.0.0.5", "10.0.0.9", "10.0.0.20",
					  "10.0.0.21"};
	struct arena *arena = arena_new();
	const struct ip_ranges ranges =
		ranges_of(arena, "10.0.0.4-10.0.0.5 10.0.0.9-10.0.0.9 10.0.0.20-10.0.0.21");
	char text[IP_TEXT_SIZE];
	struct ip ip;
	(void)state;
	assert_true(ip_parse("10.0.0.1", &ip));
	assert_false(ip_ranges_previous(&ranges, &ip));
	for (size_t i = 0; i < 5; i++) {
		assert_true(ip_ranges_next(&ranges, &ip));
		assert_string_equal(ip_format(&ip, text), way[i]);
	}
	assert_false(ip_ranges_next(&ranges, &ip));
	assert_true(ip_parse("10.0.0.99", &ip));
	for (size_t i = 5; i-- > 0;) {
		assert_true(ip_ranges_previous(&ranges, &ip));
		assert_string_equal(ip_format(&ip, text), way[i]);
	}
	assert_false(ip_ranges_previous(&ranges, &ip));
	arena_free(arena);
}

static void ranges_contain_and_overlap(void **state)
{
	struct arena *arena = arena_new();
	const struct ip_ranges ranges = ranges_of(arena, "10.0.0.4-10.0.0.9 fd00::4-fd00::9");
	struct prefix prefix;
	struct ip ip;
	(void)state;
	assert_true(ip_parse("10.0.0.9", &ip) && ip_ranges_contain(&ranges, &ip));
	assert_true(ip_parse("10.0.0.10", &ip) && !ip_ranges_contain(&ranges, &ip));
	assert_true(ip_parse("fd00::4", &ip) && ip_ranges_contain(&ranges, &ip));
	assert_true(prefix_parse("10.0.0.8/29", &prefix) && ip_ranges_overlap(&ranges, &prefix));
	assert_true(prefix_parse("10.0.0.0/24", &prefix) && ip_ranges_overlap(&ranges, &prefix));
	assert_true(prefix_parse("10.0.0.6/32", &prefix) && ip_ranges_overlap(&ranges, &prefix));
	assert_true(prefix_parse("10.0.0.0/30", &prefix) && !ip_ranges_overlap(&ranges, &prefix));
	arena_free(arena);
}

static void range_texts(void **state)
{
	static const char *const wrong[] = {"",
					    "-",
					    "10.0.0.1",
					    "10.0.0.1-",
					    "10.0.0.1-9",
					    "10.0.0.1 - 10.0.0.2",
					    "10.0.0.1-10.0.0.2-10.0.0.3",
					    "10.0.0.0/24-10.0.1.0"};
	struct ip_range range;
	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++)
		assert_false(ip_range_parse(wrong[i], &range));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ranges_without_exclusions),
		cmocka_unit_test(ranges_are_walked_in_both_directions),
		cmocka_unit_test(ranges_contain_and_overlap),
		cmocka_unit_test(range_texts),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
