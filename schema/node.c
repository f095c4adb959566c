#include "schema/node.h"

#include <string.h>

bool node_null(const struct node *node)
{
	if (node->kind != NODE_SCALAR || node->quoted)
		return false;
	const char *text = node->text;
	return !*text || strcmp(text, "~") == 0 || strcmp(text, "null") == 0 ||
	       strcmp(text, "Null") == 0 || strcmp(text, "NULL") == 0;
}

struct node *node_get(const struct node *mapping, const char *key)
{
	if (mapping->kind != NODE_MAPPING)
		return NULL;
	for (struct node *node = mapping->first; node; node = node->next->next)
		if (strcmp(node->text, key) == 0)
			return node->next;
	return NULL;
}

struct node *node_good(const struct node *mapping, const char *key)
{
	struct node *node = node_get(mapping, key);
	return node && !node->bad ? node : NULL;
}
