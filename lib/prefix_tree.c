#include "lib/prefix_tree.h"

/* A crit-bit tree: an inner node has two children, which first differ at its bit. */
struct prefix_node {
	struct prefix_node *below[2]; /* by that bit; NULL: this node is a prefix */
	unsigned bit;
	struct prefix prefix;
	size_t number;
};

static bool bit_of(const struct ip *ip, unsigned bit)
{
	return ip->bytes[bit / 8] >> (7 - bit % 8) & 1;
}

static unsigned bits_in_common(const struct ip *a, const struct ip *b)
{
	unsigned bit = 0;
	while (bit < ip_bits(a) && bit_of(a, bit) == bit_of(b, bit))
		bit++;
	return bit;
}

static size_t family_of(const struct prefix *prefix)
{
	return prefix->ip.family == AF_INET6;
}

/* Descends from `at` along the prefix to the first node that does not differ within the prefix's
 * bits. */
static struct prefix_node **descend(struct prefix_node **at, const struct prefix *prefix,
				    unsigned bits)
{
	while (*at && (*at)->below[0] && (*at)->bit < bits)
		at = &(*at)->below[bit_of(&prefix->ip, (*at)->bit)];
	return at;
}

/* A node that has as many leading bits in common with the prefix as any other; NULL if the tree is
 * empty. */
static const struct prefix_node *nearest(const struct prefix_tree *tree,
					 const struct prefix *prefix)
{
	struct prefix_node *root = tree->roots[family_of(prefix)];
	const struct prefix_node *node = *descend(&root, prefix, prefix->len);
	while (node && node->below[0])
		node = node->below[0];
	return node;
}

void prefix_tree_add(struct prefix_tree *tree, struct arena *arena, const struct prefix *prefix,
		     size_t number)
{
	struct prefix_node **at = &tree->roots[family_of(prefix)];
	struct prefix_node *leaf = arena_alloc(arena, sizeof(*leaf));
	*leaf = (struct prefix_node){.prefix = *prefix, .number = number};
	const struct prefix_node *near = nearest(tree, prefix);
	if (!near) {
		*at = leaf;
		return;
	}
	const unsigned bit = bits_in_common(&near->prefix.ip, &prefix->ip);
	at = descend(at, prefix, bit);
	struct prefix_node *node = arena_alloc(arena, sizeof(*node));
	node->bit = bit;
	node->below[bit_of(&prefix->ip, bit)] = leaf;
	node->below[!bit_of(&prefix->ip, bit)] = *at;
	*at = node;
}

bool prefix_tree_find(const struct prefix_tree *tree, const struct prefix *prefix,
		      size_t *ret_number)
{
	const struct prefix_node *node = nearest(tree, prefix);
	if (!node || !prefix_overlaps(&node->prefix, prefix))
		return false;
	*ret_number = node->number;
	return true;
}
