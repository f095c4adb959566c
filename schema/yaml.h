/* YAML text -> a tree of nodes. Scalars stay the text that they are; anchors, aliases, tags, merge
 * keys and keys that stand twice are findings, so that the tree has none. */
#ifndef SCHEMA_YAML_H
#define SCHEMA_YAML_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct context;

enum node_kind { NODE_SCALAR, NODE_SEQUENCE, NODE_MAPPING };

struct node {
	struct node *next; /* in the same collection; a mapping holds key, value, key, value, ... */
	struct node *first; /* of a collection */
	unsigned line, column;
	unsigned count; /* items of a sequence, entries of a mapping */
	uint8_t kind;   /* enum node_kind; small, as there are many nodes */
	bool quoted : 1;
	bool incomplete : 1; /* a mapping that bad keys were taken out of */
	bool bad : 1;        /* something was found wrong with it: say nothing more */
	char text[];         /* of a scalar; valid UTF-8 */
};

/* Parses the file at hand. Returns its documents' roots, linked by next, or NULL if it has none.
 * After a syntax error those before it, and context->incomplete. Roots that are empty are left out.
 */
struct node *yaml_read(struct context *context);

/* The first document of a file that is no declaration; findings are in `diags`. */
struct input;
struct arena;
struct diags;
struct node *yaml_parse(const struct input *input, struct arena *arena, struct diags *diags);

/* Whether it says nothing: an empty value, ~ or null. */
bool node_null(const struct node *node);
/* The value of a key of a mapping, or NULL. */
struct node *node_get(const struct node *mapping, const char *key);
/* The same, and NULL if something was found wrong with it. */
struct node *node_good(const struct node *mapping, const char *key);

/* For the parser: checks the keys of a mapping that is complete, and takes the bad ones out. */
void yaml_check_keys(struct context *context, struct node *mapping);

/* For the parser: reports its error, in words that help. */
struct yaml_parser_s;
void yaml_report_error(struct context *context, const struct yaml_parser_s *parser);

#endif
