/* The nodes of a tree. Users include yaml_tree.h. */
#ifndef CONVERT_YAML_TREE_INTERNAL_H
#define CONVERT_YAML_TREE_INTERNAL_H

#include "lib/arena.h"

#include <stddef.h>

enum tree_kind { TREE_MAP, TREE_LIST, TREE_TEXT, TREE_NUMBER, TREE_BOOL, TREE_COMMENT };

struct tree {
	struct arena *arena;
	struct tree *next;         /* in the same map or list */
	struct tree *first, *last; /* of a map or list */
	enum tree_kind kind;
	const char *key;  /* in a map; NULL: an item, or a comment */
	const char *text; /* TREE_TEXT, TREE_COMMENT */
	long long number; /* TREE_NUMBER; TREE_BOOL: 0 or 1 */
};

#endif
