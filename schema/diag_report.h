/* Reports diagnostics while schema/ reads the input: adds and words them. */
#ifndef SCHEMA_DIAG_REPORT_H
#define SCHEMA_DIAG_REPORT_H

#include "lib/error_codes.h"
#include "schema/node.h"
#include "schema/source_text.h"

/* The limit of findings that are kept. */
#define DIAGS_MAX 100

struct context {
	struct arena *arena;   /* the arena of the model */
	struct arena *scratch; /* freed when loading ends */
	struct diags *diags;
	struct source *source; /* the current file */
	size_t nodes;          /* nodes of all files so far */
	bool incomplete;       /* a part could not be read: more may be declared */
};

/* The position in the declaration: networks.lan.subnets[0]. The outermost scope has no name. */
struct scope {
	const struct scope *up;
	const char *name; /* NULL: an index */
	size_t index;
};

/* Whether the limit is reached, and findings are only counted. */
bool report_full(const struct context *context);
/* Sorts the findings from index `from` on by file and line. */
void report_sort(struct diags *diags, size_t from, const struct input *inputs, size_t count);

/* Adds a finding at a line and column of the current file. */
void report_place(struct context *context, enum code code, unsigned line, unsigned column,
		  const char *hint, const char *text);
/* Adds a finding at a node; the text starts with the scope's path, if there is one. hint may be
 * NULL, and is copied. */
__attribute__((format(printf, 6, 7))) void report(struct context *context, enum code code,
						  const struct scope *scope, const struct node *at,
						  const char *hint, const char *format, ...);

/* The same at the value of a key of the map `body`, or at `body` if it has no such key. */
__attribute__((format(printf, 7, 8))) void report_key(struct context *context, enum code code,
						      const struct scope *scope,
						      const struct node *body, const char *key,
						      const char *hint, const char *format, ...);

/* A text of the input for a message: printable, shortened, in quotes if it contains blanks or is
 * empty. */
const char *printable_text(struct context *context, const char *text);

struct place place_of(const struct context *context, const struct node *node);
/* "file:line:column" */
const char *place_text(struct context *context, const struct place *place);

/* A text for a hint. */
#define hint_text(context, ...) arena_printf((context)->scratch, __VA_ARGS__)

#endif
