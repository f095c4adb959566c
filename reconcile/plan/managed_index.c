#include "reconcile/plan/internal.h"

#include "lib/keyed_hash.h"

#include <string.h>

static int text_compare(const char *a, const char *b)
{
	return strcmp(a ? a : "", b ? b : "");
}

static int owner_tag_compare(const struct owner_tag *a, const struct owner_tag *b)
{
	if (a->role != b->role)
		return a->role < b->role ? -1 : 1;
	int order = text_compare(a->set, b->set);
	if (!order)
		order = text_compare(a->network, b->network);
	return order ? order : text_compare(a->container, b->container);
}

int managed_compare(const void *a, const void *b)
{
	const struct managed_link *left = *(struct managed_link *const *)a,
				  *right = *(struct managed_link *const *)b;
	return owner_tag_compare(&left->link->mark, &right->link->mark);
}

/* VLAN links have no names in their marks: of these only managed_of_link asks. */
static uint64_t owner_tag_hash(const struct planner *planner, const struct owner_tag *mark)
{
	const char *const names[] = {mark->set, mark->network, mark->container};
	uint64_t hash = (uint64_t)(uintptr_t)planner ^ (uint64_t)mark->role;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (names[i])
			hash = keyed_hash_text(hash, names[i]);
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

static void managed_list(struct planner *planner)
{
	for (size_t i = 0; i < planner->live->n_namespaces; i++) {
		struct live_ns *ns = planner->live->namespaces[i];
		for (size_t k = 0; k < ns->n_links; k++) {
			const struct live_link *link = &ns->links[k];
			if (!counts(planner, ns, link))
				continue;
			*array_push(planner->scratch, planner->managed, planner->n_managed) =
				(struct managed_link){
					.ns = ns,
					.link = link,
					.hash = owner_tag_hash(planner, &link->mark),
					.placement = placement_of(planner, ns, &link->mark)};
		}
	}
}

/* Where the table has the first one of the hash, or room for it. */
static uint32_t *mark_slot(const struct planner *planner, uint64_t hash)
{
	for (size_t i = hash;; i++) {
		uint32_t *slot = &planner->managed_marks[i & (planner->managed_table_size - 1)];
		if (!*slot || planner->managed[*slot - 1].hash == hash)
			return slot;
	}
}

static uint32_t *link_slot(const struct planner *planner, const struct live_link *link)
{
	for (size_t i = (uintptr_t)link / sizeof(*link) * 0x9e3779b1u;; i++) {
		uint32_t *slot = &planner->managed_links[i & (planner->managed_table_size - 1)];
		if (!*slot || planner->managed[*slot - 1].link == link)
			return slot;
	}
}

static void managed_chain(struct planner *planner, size_t number)
{
	uint32_t *slot = mark_slot(planner, planner->managed[number].hash);
	planner->managed[number].next = *slot;
	*slot = (uint32_t)number + 1;
	*link_slot(planner, planner->managed[number].link) = (uint32_t)number + 1;
}

/* From the last to the first, so that those of one mark are chained in their order, and those
 * before all others that are on the host's links. A container can give thousands of links one mark.
 */
void managed_index(struct planner *planner)
{
	managed_list(planner);
	planner->managed_table_size = 16;
	while (planner->managed_table_size < planner->n_managed * 2)
		planner->managed_table_size *= 2;
	const size_t size = planner->managed_table_size * sizeof(uint32_t);
	planner->managed_marks = arena_alloc(planner->scratch, size);
	planner->managed_links = arena_alloc(planner->scratch, size);
	for (size_t i = planner->n_managed; i-- > 0;)
		if (live_parent_away(planner->managed[i].link))
			managed_chain(planner, i);
	for (size_t i = planner->n_managed; i-- > 0;)
		if (!live_parent_away(planner->managed[i].link))
			managed_chain(planner, i);
}

static struct managed_link *managed_at(const struct planner *planner, uint32_t number)
{
	return number ? &planner->managed[number - 1] : NULL;
}

/* The first of the mark from `number` on, or NULL. */
static struct managed_link *managed_next(const struct planner *planner,
					 const struct owner_tag *mark, uint32_t number)
{
	struct managed_link *managed = managed_at(planner, number);
	while (managed && owner_tag_compare(&managed->link->mark, mark) != 0)
		managed = managed_at(planner, managed->next);
	return managed;
}

struct managed_link *managed_find(const struct planner *planner, const struct owner_tag *mark,
				  const struct live_ns *ns)
{
	struct managed_link *managed =
		managed_next(planner, mark, *mark_slot(planner, owner_tag_hash(planner, mark)));
	while (managed && managed->ns != ns)
		managed = managed_next(planner, mark, managed->next);
	return managed;
}

struct managed_link *managed_keep(const struct planner *planner, const struct owner_tag *mark)
{
	struct managed_link *first =
		managed_next(planner, mark, *mark_slot(planner, owner_tag_hash(planner, mark)));
	for (struct managed_link *managed = first; managed;
	     managed = managed_next(planner, mark, managed->next))
		managed->wanted = managed->kept = true;
	return first;
}

struct managed_link *managed_of_link(const struct planner *planner, const struct live_link *link)
{
	return managed_at(planner, *link_slot(planner, link));
}

const struct set *desired_set(const struct planner *planner, const char *name)
{
	for (size_t i = 0; name && i < planner->desired->n_sets; i++)
		if (strcmp(planner->desired->sets[i].name, name) == 0)
			return &planner->desired->sets[i];
	return NULL;
}

bool managed_in_subnet(const struct managed_link *managed, const struct network *network)
{
	each_addr_of (addr, managed->ns, managed->link->ifindex)
		if (network_subnet_of(network, &addr->prefix.ip))
			return true;
	return false;
}
