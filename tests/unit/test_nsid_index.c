/* Finding namespaces by nsid: any order, gaps, none, and one that lost its nsid. */
#include "cmd/watch/nsid_index.h"

#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define COUNT 100

static void each_number(void **state)
{
	struct live_ns spaces[COUNT], *pointers[COUNT];
	struct live live = {.namespaces = pointers, .n_namespaces = COUNT};
	struct arena *arena = arena_new();
	(void)state;
	for (int i = 0; i < COUNT; i++) {
		/* 37 and 101 have no common divisor: each number once. Every tenth has none. */
		spaces[i] = (struct live_ns){.nsid = i % 10 ? i * 37 % 101 * 3 : -1};
		pointers[i] = &spaces[i];
	}
	spaces[0] = (struct live_ns){.nsid = -1, .host = true};
	spaces[1].nsid = INT_MAX;
	struct nsid_index index = nsid_index_make(&live, arena);
	for (int i = 0; i < COUNT; i++)
		if (spaces[i].nsid >= 0)
			assert_ptr_equal(nsid_index_find(&index, spaces[i].nsid), &spaces[i]);
	assert_null(nsid_index_find(&index, 1));
	assert_null(nsid_index_find(&index, -1));

	const int lost = spaces[42].nsid;
	spaces[42].nsid = -1;
	assert_null(nsid_index_find(&index, lost));
	for (int i = 43; i < 50; i++)
		assert_ptr_equal(nsid_index_find(&index, spaces[i].nsid), &spaces[i]);
	arena_free(arena);
}

static void only_the_host(void **state)
{
	struct live_ns host = {.nsid = -1, .host = true}, *pointer = &host;
	const struct live live = {.namespaces = &pointer, .n_namespaces = 1};
	struct arena *arena = arena_new();
	(void)state;
	struct nsid_index index = nsid_index_make(&live, arena);
	assert_null(nsid_index_find(&index, 0));
	arena_free(arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(each_number),
					   cmocka_unit_test(only_the_host)};
	return cmocka_run_group_tests_name("namespaces by number", tests, NULL, NULL);
}
