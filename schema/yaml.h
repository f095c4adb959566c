/* Parses YAML into a tree of nodes. Scalars keep their text. Anchors, aliases, tags, merge keys and
 * duplicate keys are errors, so the tree has none. */
#ifndef SCHEMA_YAML_H
#define SCHEMA_YAML_H

#include "schema/node.h"

struct context;

/* Parses the file at hand. Returns its documents' roots, linked by next, or NULL if it has none.
 * After a syntax error those before it, and context->incomplete. Roots that are empty are left out.
 */
struct node *yaml_read(struct context *context);

/* The first document of a file that is no declaration; findings are in `diags`. */
struct input;
struct arena;
struct diags;
struct node *yaml_parse(const struct input *input, struct arena *arena, struct diags *diags);

/* For the parser: checks the keys of a mapping that is complete, and takes the bad ones out. */
void yaml_check_keys(struct context *context, struct node *mapping);

/* For the parser: reports its error, in words that help. */
struct yaml_parser_s;
void yaml_report_error(struct context *context, const struct yaml_parser_s *parser);

#endif
