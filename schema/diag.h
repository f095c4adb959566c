/* Diagnostics of the input: collected during a run, then printed together. */
#ifndef SCHEMA_DIAG_H
#define SCHEMA_DIAG_H

#include "lib/error_codes.h"
#include "schema/model.h"

struct diag {
	struct place place; /* line 0: the file as a whole */
	enum code code;     /* the kind of error */
	const char *text;   /* the problem */
	const char *hint;   /* the fix, NULL if the text contains it */
	const char *source; /* the line, at most about 200 bytes around the column, made printable
			       (control and invalid bytes as '?'); NULL if there is none */
	unsigned caret;     /* offset of the column in `source`, in terminal columns */
};

struct diags {
	struct arena *arena;
	struct diag *items;
	size_t count;
	size_t omitted; /* the count beyond the first 100, which are kept */
};

void diags_init(struct diags *diags);
void diags_free(struct diags *diags);

/* "network.yaml:7:11", as far as it is known. In `arena`, or the place's own text. */
const char *place_format(struct arena *arena, const struct place *place);

/* Formats one diagnostic; each line ends with a newline:
 *
 *   network.yaml:7:11: error: networks.lan.mtuu is an unknown key [MV0201]
 *       mtuu: 1400
 *       ^
 *       hint: ...
 *
 * The message and the hint are wrapped (lib/wrap.h), the line is as it was written. Returns text
 * in `arena`. */
const char *diag_format(struct arena *arena, const struct diag *diag, size_t columns);

#endif
