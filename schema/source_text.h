/* The text of one file, and positions in it. */
#ifndef SCHEMA_SOURCE_TEXT_H
#define SCHEMA_SOURCE_TEXT_H

#include "lib/printable.h"
#include "schema/diag.h"

/* The bytes of one file; need not end in NUL. */
struct input {
	const char *file; /* the file's name for messages */
	const char *bytes;
	size_t size;
};

/* A position, and the start of its line. Lines end as in YAML 1.1, so that line numbers agree with
 * the parser. */
struct position {
	size_t offset, line_start; /* bytes */
	unsigned line, column;     /* from 1, columns in characters */
};

struct source {
	const char *file;
	const char *bytes; /* without a byte order mark */
	size_t size;
	size_t skipped;       /* bytes of the byte order mark */
	struct position last; /* the last result: most searches continue from it */
};

void source_init(struct source *source, const char *file, const char *bytes, size_t size);

/* The position of a line and column, or of the line's end if it is shorter. */
struct position source_find(struct source *source, unsigned line, unsigned column);
/* The position of a byte. */
struct position source_find_offset(struct source *source, size_t offset);

/* The line around the position, as diag.source requires; sets *ret_caret. Returns text in arena. */
const char *source_excerpt(const struct source *source, const struct position *position,
			   struct arena *arena, unsigned *ret_caret);

#endif
