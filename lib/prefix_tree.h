/* A set of disjoint prefixes. Finding the one that overlaps a given prefix takes at most as many
 * steps as the prefix has bits. */
#ifndef LIB_PREFIX_TREE_H
#define LIB_PREFIX_TREE_H

#include "lib/arena.h"
#include "lib/ip.h"

#include <stddef.h>

struct prefix_node;

/* Zeroed: empty. The caller's arena contains the nodes. */
struct prefix_tree {
	struct prefix_node *roots[2]; /* IPv4, IPv6 */
};

/* Adds the prefix with a number; it must not overlap another one of the tree. */
void prefix_tree_add(struct prefix_tree *tree, struct arena *arena, const struct prefix *prefix,
		     size_t number);
/* The number of the prefix that overlaps the given one, if there is one. */
bool prefix_tree_find(const struct prefix_tree *tree, const struct prefix *prefix,
		      size_t *ret_number);

#endif
