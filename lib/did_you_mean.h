/* Suggests the most similar word ("did you mean"). */
#ifndef LIB_DID_YOU_MEAN_H
#define LIB_DID_YOU_MEAN_H

#include "lib/arena.h"

/* The search for the candidate that is most similar to a text. Start with {.text = ...}. */
struct suggestion {
	const char *text;
	const char *best; /* NULL: no candidate is similar enough */
	unsigned distance;
};

void suggestion_try(struct suggestion *suggestion, const char *candidate);

/* "; did you mean BEST?", or "". */
const char *suggestion_text(struct arena *arena, const struct suggestion *suggestion);

#endif
