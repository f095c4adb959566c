/* Arenas: allocated objects stay unchanged while more are allocated, and new memory is zeroed. */
#include "lib/arena.h"

#include <setjmp.h>
#include <stdalign.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* Several arrays grow in turn, so that each is at the end of a chunk, between others, and in a
 * chunk of its own. */
static void arrays_keep_their_contents(void **state)
{
	enum { ARRAYS = 3, ITEMS = 20000 };
	struct item {
		size_t number;
		char zero[13];
	} * items[ARRAYS] = {0};
	size_t counts[ARRAYS] = {0};
	struct arena *arena = arena_new();
	(void)state;
	for (size_t turn = 0; turn < ITEMS; turn++) {
		for (size_t i = 0; i < ARRAYS; i++) {
			struct item *item = array_push(arena, items[i], counts[i]);
			assert_memory_equal(item, &(struct item){0}, sizeof(*item));
			item->number = turn * ARRAYS + i;
			memset(item->zero, 0xff, sizeof(item->zero));
		}
		if (turn % 7 == 0)
			memset(arena_alloc(arena, turn % 97), 0xff, turn % 97);
	}
	for (size_t i = 0; i < ARRAYS; i++)
		for (size_t turn = 0; turn < ITEMS; turn++)
			assert_int_equal(items[i][turn].number, turn * ARRAYS + i);
	arena_free(arena);
}

/* Texts are packed between. */
static void memory_is_zeroed_and_aligned(void **state)
{
	static const unsigned char zero[40000];
	struct arena *arena = arena_new();
	(void)state;
	for (size_t size = 0; size < sizeof(zero); size += size / 8 + 1) {
		unsigned char *memory = arena_alloc(arena, size);
		assert_int_equal((uintptr_t)memory % alignof(uint64_t), 0);
		assert_memory_equal(memory, zero, size);
		memset(memory, 0xff, size);
		const char *text = arena_strndup(arena, "dense", size % 6);
		assert_memory_equal(text, "dense", size % 6);
		assert_int_equal(text[size % 6], '\0');
	}
	arena_free(arena);
}

/* Whether it fits into the rest of a chunk or not. */
static void texts_are_whole(void **state)
{
	enum { LENGTH_MAX = 9000 };
	static char long_text[LENGTH_MAX + 1];
	const char *texts[LENGTH_MAX / 100];
	struct arena *arena = arena_new();
	(void)state;
	memset(long_text, 'x', LENGTH_MAX);
	for (int i = 0; i < LENGTH_MAX / 100; i++) {
		texts[i] = arena_printf(arena, "%d%.*s", i, i * 100, long_text);
		assert_memory_equal(arena_alloc(arena, 64), (char[64]){0}, 64);
	}
	for (int i = 0; i < LENGTH_MAX / 100; i++) {
		char number[16];
		int digits = snprintf(number, sizeof(number), "%d", i);
		assert_memory_equal(texts[i], number, digits);
		assert_int_equal(strspn(texts[i] + digits, "x"), i * 100);
		assert_int_equal(strlen(texts[i]), digits + i * 100);
	}
	arena_free(arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(arrays_keep_their_contents),
		cmocka_unit_test(memory_is_zeroed_and_aligned),
		cmocka_unit_test(texts_are_whole),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
