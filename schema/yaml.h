/* Parses YAML into a tree of nodes. Scalars keep their text. Anchors, aliases, tags, merge keys and
 * duplicate keys are errors, so the tree has none. */
#ifndef SCHEMA_YAML_H
#define SCHEMA_YAML_H

#include "schema/node.h"

struct context;

/* Parses the current file. Returns the roots of its documents, linked by next, or NULL if it has
 * none. After a syntax error: the documents before it, and context->incomplete is set. Empty roots
 * are left out. */
struct node *yaml_read(struct context *context);

/* The first document of a file that is not a configuration; errors are in `diags`. */
struct input;
struct arena;
struct diags;
struct node *yaml_parse(const struct input *input, struct arena *arena, struct diags *diags);

/* For the parser: checks the keys of a complete mapping, and removes the bad ones. */
void yaml_check_keys(struct context *context, struct node *mapping);

/* For the parser: reports its error with a helpful text. */
struct yaml_parser_s;
void yaml_report_error(struct context *context, const struct yaml_parser_s *parser);

#endif
