/* 'did you mean' */
#ifndef SCHEMA_GUESS_H
#define SCHEMA_GUESS_H

#include "base/arena.h"

/* The search for the candidate that is nearest to a text. Start with {.text = ...}. */
struct guess {
	const char *text;
	const char *best; /* NULL: none is near enough to be a slip of the hand */
	unsigned distance;
};

void guess_try(struct guess *guess, const char *candidate);

/* "; did you mean BEST?", or nothing. */
const char *guess_text(struct arena *arena, const struct guess *guess);

#endif
