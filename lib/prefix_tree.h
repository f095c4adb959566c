/* A set of disjoint prefixes. Finding the one that overlaps another prefix takes at most as many
 * steps as that prefix has bits. */
#ifndef LIB_PREFIX_TREE_H
#define LIB_PREFIX_TREE_H

#include "lib/arena.h"
#include "lib/ip.h"

#include <stddef.h>

struct prefix_node;

/* Zeroed: empty. Nodes are in the arena of who adds them. */
struct prefix_tree {
	struct prefix_node *roots[2]; /* of IPv4, of IPv6 */
};

/* Enters the prefix, which overlaps none that is there, with a number. */
void prefix_tree_add(struct prefix_tree *tree, struct arena *arena, const struct prefix *prefix,
		     size_t number);
/* The number of one that contains the prefix, or lies in it, if there is any. */
bool prefix_tree_find(const struct prefix_tree *tree, const struct prefix *prefix,
		      size_t *ret_number);

#endif
