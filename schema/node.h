/* The nodes of parsed YAML: scalars, sequences and mappings with their places. */
#ifndef SCHEMA_NODE_H
#define SCHEMA_NODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum node_kind { NODE_SCALAR, NODE_SEQUENCE, NODE_MAPPING };

struct node {
	struct node *next; /* in the same collection; a mapping holds key, value, key, value, ... */
	struct node *first;           /* of a collection */
	unsigned line, column, index; /* index: characters before it in the file */
	unsigned count;               /* items of a sequence, entries of a mapping */
	uint8_t kind;                 /* enum node_kind; small, as there are many nodes */
	bool quoted : 1;
	bool incomplete : 1; /* bad keys were removed from the mapping */
	bool bad : 1;        /* an error was reported for it: report no other */
	char text[];         /* of a scalar; valid UTF-8 */
};

/* Whether the value is null: an empty value, ~ or null. */
bool node_null(const struct node *node);
/* The value of a key of a mapping, or NULL. */
struct node *node_get(const struct node *mapping, const char *key);
/* The same, and NULL if an error was reported for it. */
struct node *node_good(const struct node *mapping, const char *key);

#endif
