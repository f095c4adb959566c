#include "reconcile/planner.h"

#include "base/hash.h"

#include <string.h>

static int text_compare(const char *a, const char *b)
{
	return strcmp(a ? a : "", b ? b : "");
}

static int mark_compare(const struct mark *a, const struct mark *b)
{
	if (a->role != b->role)
		return a->role < b->role ? -1 : 1;
	int order = text_compare(a->set, b->set);
	if (!order)
		order = text_compare(a->network, b->network);
	return order ? order : text_compare(a->container, b->container);
}

int owned_compare(const void *a, const void *b)
{
	const struct owned *left = *(struct owned *const *)a, *right = *(struct owned *const *)b;
	return mark_compare(&left->link->mark, &right->link->mark);
}

/* VLAN links have no names in their marks: of these only owned_of_link asks. */
static uint64_t mark_hash(const struct mark *mark, int ifindex)
{
	const char *const names[] = {mark->set, mark->network, mark->container};
	uint64_t hash = HASH_START ^ (uint64_t)mark->role;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (names[i])
			hash = hash_text(hash, names[i]);
	return mark->role == ROLE_VLAN ? hash ^ (uint64_t)ifindex : hash;
}

/* An attachment counts where its parent is this host's: another host on the same machine may have
 * marks of the same names. All other roles live in the host's own namespace. */
static bool counts(const struct live_ns *ns, const struct live_link *link)
{
	if (link->mark.role == ROLE_ATTACH)
		return link->parent_where == PARENT_HOST;
	return link->mark.role != ROLE_NONE && ns->host;
}

static void owned_list(struct planner *planner)
{
	for (size_t i = 0; i < planner->live->n_spaces; i++) {
		struct live_ns *ns = planner->live->spaces[i];
		for (size_t k = 0; k < ns->n_links; k++) {
			const struct live_link *link = &ns->links[k];
			if (!counts(ns, link))
				continue;
			*array_push(planner->scratch, planner->owned, planner->n_owned) =
				(struct owned){.ns = ns,
					       .link = link,
					       .hash = mark_hash(&link->mark, link->ifindex)};
		}
	}
}

/* The first place from `i` on that is free or has the hash. */
static size_t owned_probe(const struct planner *planner, uint64_t hash, size_t i)
{
	for (;; i++) {
		uint32_t number = planner->owned_table[i & (planner->owned_table_size - 1)];
		if (!number || planner->owned[number - 1].hash == hash)
			return i & (planner->owned_table_size - 1);
	}
}

void owned_index(struct planner *planner)
{
	owned_list(planner);
	planner->owned_table_size = 16;
	while (planner->owned_table_size < planner->n_owned * 2)
		planner->owned_table_size *= 2;
	planner->owned_table = arena_alloc(planner->scratch, planner->owned_table_size *
								     sizeof(*planner->owned_table));
	for (size_t i = 0; i < planner->n_owned; i++) {
		size_t at = planner->owned[i].hash;
		while (planner->owned_table[at = owned_probe(planner, planner->owned[i].hash, at)])
			at++;
		planner->owned_table[at] = (uint32_t)i + 1;
	}
}

/* The next one of the hash, in the order of `owned`, or NULL. *at is where to go on. */
static struct owned *owned_next(const struct planner *planner, uint64_t hash, size_t *at)
{
	if (!planner->n_owned)
		return NULL;
	size_t found = owned_probe(planner, hash, *at);
	uint32_t number = planner->owned_table[found];
	*at = found + 1;
	return number ? &planner->owned[number - 1] : NULL;
}

struct owned *owned_find(const struct planner *planner, const struct mark *mark,
			 const struct live_ns *preferred)
{
	const uint64_t hash = mark_hash(mark, 0);
	struct owned *first = NULL, *owned;
	for (size_t at = hash; (owned = owned_next(planner, hash, &at));) {
		if (mark_compare(&owned->link->mark, mark) != 0)
			continue;
		if (owned->ns == preferred)
			return owned;
		if (!first)
			first = owned;
	}
	return first;
}

struct owned *owned_of_link(const struct planner *planner, const struct live_link *link)
{
	const uint64_t hash = mark_hash(&link->mark, link->ifindex);
	struct owned *owned;
	for (size_t at = hash; (owned = owned_next(planner, hash, &at));)
		if (owned->link == link)
			return owned;
	return NULL;
}

const struct set *desired_set(const struct planner *planner, const char *name)
{
	for (size_t i = 0; name && i < planner->desired->n_sets; i++)
		if (strcmp(planner->desired->sets[i].name, name) == 0)
			return &planner->desired->sets[i];
	return NULL;
}
