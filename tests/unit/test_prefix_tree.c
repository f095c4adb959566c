#include "lib/prefix_tree.h"
#include "tests/unit/random.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define TREES    300
#define PREFIXES 60
#define NONE     SIZE_MAX

/* Few of the bits differ, so that many contain each other. */
static struct prefix prefix_any(void)
{
	const bool ipv4 = random_below(2);
	struct prefix prefix = {.ip.family = ipv4 ? AF_INET : AF_INET6};
	const unsigned bits = ip_bits(&prefix.ip);
	prefix.len = (uint8_t)random_below(bits + 1);
	for (unsigned i = 0; i < bits / 8; i++)
		prefix.ip.bytes[i] = random_below(2) ? (uint8_t)random_below(256) : 0;
	return prefix_subnet(&prefix);
}

static size_t one_by_one(const struct prefix *prefixes, size_t count, const struct prefix *prefix)
{
	for (size_t i = 0; i < count; i++)
		if (prefix_overlaps(&prefixes[i], prefix))
			return i;
	return NONE;
}

static bool overlaps(const struct prefix *prefixes, size_t number, const struct prefix *prefix)
{
	return number == NONE || prefix_overlaps(&prefixes[number], prefix);
}

/* A prefix can contain several others, of which any is found. */
static void tree_check(void)
{
	struct arena *arena = arena_new();
	struct prefix_tree tree = {0};
	struct prefix entered[PREFIXES];
	size_t count = 0;
	for (size_t i = 0; i < PREFIXES; i++) {
		const struct prefix prefix = prefix_any();
		size_t found = NONE;
		const bool any = prefix_tree_find(&tree, &prefix, &found);
		assert_int_equal(any, one_by_one(entered, count, &prefix) != NONE);
		assert_true(overlaps(entered, found, &prefix));
		if (any)
			continue;
		prefix_tree_add(&tree, arena, &prefix, count);
		entered[count++] = prefix;
	}
	arena_free(arena);
}

static void finds_what_a_search_finds(void **state)
{
	(void)state;
	for (unsigned seed = 1; seed <= TREES; seed++) {
		random_seed(seed);
		tree_check();
	}
}

static void the_whole_of_a_family(void **state)
{
	(void)state;
	struct arena *arena = arena_new();
	struct prefix_tree tree = {0};
	struct prefix all, one, other;
	size_t number = 0;
	assert_true(prefix_parse("0.0.0.0/0", &all) && prefix_parse("10.0.0.1/32", &one) &&
		    prefix_parse("::/0", &other));
	prefix_tree_add(&tree, arena, &all, 7);
	assert_true(prefix_tree_find(&tree, &one, &number));
	assert_int_equal(number, 7);
	assert_false(prefix_tree_find(&tree, &other, &number));
	arena_free(arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_what_a_search_finds),
		cmocka_unit_test(the_whole_of_a_family),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
