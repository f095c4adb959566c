#include "cmd/watch/nsid_index.h"

#include <stdlib.h>

static int compare(const void *a, const void *b)
{
	const struct nsid_entry *left = a, *right = b;
	return (left->nsid > right->nsid) - (left->nsid < right->nsid);
}

struct nsid_index nsid_index_make(const struct live *live, struct arena *arena)
{
	struct nsid_index index = {
		.items = arena_alloc(arena, live->n_namespaces * sizeof(*index.items))};
	for (size_t i = 1; i < live->n_namespaces; i++) {
		struct live_ns *ns = live->namespaces[i];
		if (ns->nsid >= 0)
			index.items[index.count++] = (struct nsid_entry){ns->nsid, ns};
	}
	qsort(index.items, index.count, sizeof(*index.items), compare);
	return index;
}

struct live_ns *nsid_index_find(const struct nsid_index *index, int nsid)
{
	const struct nsid_entry key = {.nsid = nsid};
	const struct nsid_entry *found =
		bsearch(&key, index->items, index->count, sizeof(*index->items), compare);
	return found && found->ns->nsid == nsid ? found->ns : NULL;
}
