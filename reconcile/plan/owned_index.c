#include "reconcile/plan/internal.h"

#include "lib/hash.h"

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
static uint64_t mark_hash(const struct mark *mark)
{
	const char *const names[] = {mark->set, mark->network, mark->container};
	uint64_t hash = HASH_START ^ (uint64_t)mark->role;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (names[i])
			hash = hash_text(hash, names[i]);
	return hash;
}

/* An attachment counts where its parent is this host's: another host on the same machine may have
 * marks of the same names. One whose parent was moved away cannot be told from those by the parent,
 * and counts in the namespace of the container that it names. All other roles live in the host's
 * own namespace. */
static bool counts(const struct planner *planner, const struct live_ns *ns,
		   const struct live_link *link)
{
	if (link->mark.role != ROLE_ATTACH)
		return link->mark.role != ROLE_NONE && ns->host;
	return link->parent_where == PARENT_HOST ||
	       (live_parent_away(link) && placement_of(planner, ns, &link->mark) == PLACEMENT_OWN);
}

static void owned_list(struct planner *planner)
{
	for (size_t i = 0; i < planner->live->n_spaces; i++) {
		struct live_ns *ns = planner->live->spaces[i];
		for (size_t k = 0; k < ns->n_links; k++) {
			const struct live_link *link = &ns->links[k];
			if (!counts(planner, ns, link))
				continue;
			*array_push(planner->scratch, planner->owned, planner->n_owned) =
				(struct owned){.ns = ns,
					       .link = link,
					       .hash = mark_hash(&link->mark),
					       .placement = placement_of(planner, ns, &link->mark)};
		}
	}
}

/* Where the table has the first one of the hash, or room for it. */
static uint32_t *mark_slot(const struct planner *planner, uint64_t hash)
{
	for (size_t i = hash;; i++) {
		uint32_t *slot = &planner->owned_marks[i & (planner->owned_table_size - 1)];
		if (!*slot || planner->owned[*slot - 1].hash == hash)
			return slot;
	}
}

static uint32_t *link_slot(const struct planner *planner, const struct live_link *link)
{
	for (size_t i = (uintptr_t)link / sizeof(*link) * 0x9e3779b1u;; i++) {
		uint32_t *slot = &planner->owned_links[i & (planner->owned_table_size - 1)];
		if (!*slot || planner->owned[*slot - 1].link == link)
			return slot;
	}
}

static void owned_chain(struct planner *planner, size_t number)
{
	uint32_t *slot = mark_slot(planner, planner->owned[number].hash);
	planner->owned[number].next = *slot;
	*slot = (uint32_t)number + 1;
	*link_slot(planner, planner->owned[number].link) = (uint32_t)number + 1;
}

/* From the last to the first, so that those of one mark are chained in their order, and those
 * before all others that are on the host's links. A container can give thousands of links one mark.
 */
void owned_index(struct planner *planner)
{
	owned_list(planner);
	planner->owned_table_size = 16;
	while (planner->owned_table_size < planner->n_owned * 2)
		planner->owned_table_size *= 2;
	const size_t size = planner->owned_table_size * sizeof(uint32_t);
	planner->owned_marks = arena_alloc(planner->scratch, size);
	planner->owned_links = arena_alloc(planner->scratch, size);
	for (size_t i = planner->n_owned; i-- > 0;)
		if (live_parent_away(planner->owned[i].link))
			owned_chain(planner, i);
	for (size_t i = planner->n_owned; i-- > 0;)
		if (!live_parent_away(planner->owned[i].link))
			owned_chain(planner, i);
}

static struct owned *owned_at(const struct planner *planner, uint32_t number)
{
	return number ? &planner->owned[number - 1] : NULL;
}

/* The first of the mark from `number` on, or NULL. */
static struct owned *owned_next(const struct planner *planner, const struct mark *mark,
				uint32_t number)
{
	struct owned *owned = owned_at(planner, number);
	while (owned && mark_compare(&owned->link->mark, mark) != 0)
		owned = owned_at(planner, owned->next);
	return owned;
}

struct owned *owned_find(const struct planner *planner, const struct mark *mark,
			 const struct live_ns *ns)
{
	struct owned *owned = owned_next(planner, mark, *mark_slot(planner, mark_hash(mark)));
	while (owned && owned->ns != ns)
		owned = owned_next(planner, mark, owned->next);
	return owned;
}

struct owned *owned_keep(const struct planner *planner, const struct mark *mark)
{
	struct owned *first = owned_next(planner, mark, *mark_slot(planner, mark_hash(mark)));
	for (struct owned *owned = first; owned; owned = owned_next(planner, mark, owned->next))
		owned->wanted = owned->kept = true;
	return first;
}

struct owned *owned_of_link(const struct planner *planner, const struct live_link *link)
{
	return owned_at(planner, *link_slot(planner, link));
}

const struct set *desired_set(const struct planner *planner, const char *name)
{
	for (size_t i = 0; name && i < planner->desired->n_sets; i++)
		if (strcmp(planner->desired->sets[i].name, name) == 0)
			return &planner->desired->sets[i];
	return NULL;
}
