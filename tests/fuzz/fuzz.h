/* A fuzz target: a file for each external input. libFuzzer calls it with generated inputs (`make
 * fuzz`), replay.c with those in tests/fuzz/corpus/NAME (`make check`). */
#ifndef TESTS_FUZZ_FUZZ_H
#define TESTS_FUZZ_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* An invariant for any input: the target aborts if it is violated. */
#define HOLDS(condition)                                                                           \
	do {                                                                                       \
		if (!(condition)) {                                                                \
			fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition);            \
			abort();                                                                   \
		}                                                                                  \
	} while (0)

/* The next piece of an input with several: two bytes with its length (little endian), and that many
 * bytes, or the remaining ones. False: there is none. */
struct pieces {
	const uint8_t *at;
	size_t left;
};

static inline const uint8_t *pieces_next(struct pieces *pieces, size_t *ret_size)
{
	if (pieces->left < 2)
		return NULL;
	const uint8_t *piece = pieces->at + 2;
	size_t size = pieces->at[0] | (size_t)pieces->at[1] << 8;
	pieces->left -= 2;
	if (size > pieces->left)
		size = pieces->left;
	pieces->at = piece + size;
	pieces->left -= size;
	*ret_size = size;
	return piece;
}

#endif
