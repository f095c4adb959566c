#include "lib/did_you_mean.h"

#include <string.h>

#define LENGTH_MAX 63

static unsigned least(unsigned a, unsigned b)
{
	return a < b ? a : b;
}

/* The number of letters that were added, left out, changed or swapped with the next one (optimal
 * string alignment). Both texts have at most LENGTH_MAX bytes. */
static unsigned distance(const char *a, const char *b)
{
	unsigned rows[3][LENGTH_MAX + 1];
	unsigned *older = rows[0], *old = rows[1], *row = rows[2];
	size_t width = strlen(b);

	for (unsigned j = 0; j <= width; j++)
		old[j] = j;
	for (unsigned i = 1; a[i - 1]; i++) {
		row[0] = i;
		for (unsigned j = 1; j <= width; j++) {
			row[j] = least(least(old[j], row[j - 1]) + 1,
				       old[j - 1] + (a[i - 1] != b[j - 1]));
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
				row[j] = least(row[j], older[j - 2] + 1);
		}
		unsigned *next = older;
		older = old;
		old = row;
		row = next;
	}
	return old[width];
}

void suggestion_try(struct suggestion *suggestion, const char *candidate)
{
	size_t length = strlen(suggestion->text), other = strlen(candidate);
	if (length > LENGTH_MAX || other > LENGTH_MAX || !length || !other)
		return;
	unsigned away = distance(suggestion->text, candidate);
	if (away > 1 + (length < other ? length : other) / 6 || away >= other)
		return;
	if (!suggestion->best || away < suggestion->distance) {
		suggestion->best = candidate;
		suggestion->distance = away;
	}
}

const char *suggestion_text(struct arena *arena, const struct suggestion *suggestion)
{
	return suggestion->best ? arena_printf(arena, "; did you mean %s?", suggestion->best) : "";
}
