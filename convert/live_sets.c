#include "convert/live_sets.h"

#include "lib/hashmap.h"

#include <stdlib.h>
#include <string.h>

struct listing {
	struct arena *arena;
	const struct set_names *selected;
	struct live_sets sets;
	struct index *numbers; /* position in `sets`, from 1 on, by name: size_t */
};

/* An attachment counts if its parent is this host's; other roles count in the host's own
 * namespace. */
static bool counts(const struct live_ns *ns, const struct live_link *link)
{
	if (link->tag.role == ROLE_ATTACH)
		return link->parent_where == PARENT_HOST && !ns->host;
	return link->tag.role != ROLE_NONE && ns->host;
}

static bool is_selected(const struct listing *listing, const char *name)
{
	for (size_t i = 0; i < listing->selected->count; i++)
		if (strcmp(listing->selected->items[i], name) == 0)
			return true;
	return !listing->selected->count;
}

/* NULL: not selected. */
static struct live_set *set_of(struct listing *listing, const char *name)
{
	const size_t *known = index_get_text(listing->numbers, name);
	if (known)
		return &listing->sets.items[*known - 1];
	if (!is_selected(listing, name))
		return NULL;
	struct live_set *set = array_push(listing->arena, listing->sets.items, listing->sets.count);
	size_t *number = arena_alloc(listing->arena, sizeof(*number));
	*number = listing->sets.count;
	set->name = name;
	index_put_text(listing->numbers, name, number);
	return set;
}

/* An owner tag may name a set twice. */
static void link_list(struct listing *listing, const char *name, const struct live_ns *ns,
		      const struct live_link *link)
{
	struct live_set *set = set_of(listing, name);
	if (!set || (set->n_links && set->links[set->n_links - 1].link == link))
		return;
	*array_push(listing->arena, set->links, set->n_links) = (struct set_link){ns, link};
}

static void links_list(struct listing *listing, const struct live_ns *ns)
{
	for (size_t i = 0; i < ns->n_links; i++) {
		const struct live_link *link = &ns->links[i];
		const struct owner_tag *tag = &link->tag;
		if (!counts(ns, link))
			continue;
		if (tag->role != ROLE_VLAN)
			link_list(listing, tag->set, ns, link);
		for (size_t k = 0; k < tag->n_sets; k++)
			link_list(listing, tag->sets[k], ns, link);
	}
}

static int set_compare(const void *a, const void *b)
{
	const struct live_set *left = a, *right = b;
	return strcmp(left->name, right->name);
}

struct live_sets live_sets_find(const struct live *live, const struct set_names *names,
				const char *also, struct arena *arena)
{
	struct listing listing = {.arena = arena, .selected = names, .numbers = index_new(0)};
	for (size_t i = 0; i < live->n_namespaces; i++)
		links_list(&listing, live->namespaces[i]);
	if (also)
		(void)set_of(&listing, also);
	index_free(listing.numbers);
	if (listing.sets.count)
		qsort(listing.sets.items, listing.sets.count, sizeof(*listing.sets.items),
		      set_compare);
	return listing.sets;
}
