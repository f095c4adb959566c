#include "reconcile/plan/managed_index.h"

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
	if (!order)
		order = text_compare(a->container, b->container);
	return order ? order : text_compare(a->attachment, b->attachment);
}

int managed_compare(const void *a, const void *b)
{
	const struct managed_link *left = *(const struct managed_link *const *)a,
				  *right = *(const struct managed_link *const *)b;
	return owner_tag_compare(&left->link->tag, &right->link->tag);
}

/* The list and its tables under construction. */
struct indexer {
	const struct plan_input *input;
	const struct ownership *ownership;
	struct managed_link *links;
	size_t count;
	uint32_t *by_tag, *by_link;
	size_t table_size;
	uint64_t seed;
};

/* Owner tags of VLAN links contain no names: only managed_of_link finds them. */
static uint64_t owner_tag_hash(uint64_t seed, const struct owner_tag *tag)
{
	const char *const names[] = {tag->set, tag->network, tag->container, tag->attachment};
	uint64_t hash = seed ^ (uint64_t)tag->role;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (names[i])
			hash = keyed_hash_text(hash, names[i]);
	return hash;
}

/* An attachment is managed if its parent is this host's: another host on the same machine may have
 * tags of the same names. If its parent was moved to another namespace, the parent does not
 * distinguish them, and it is managed in the namespace of the container that it names. All other
 * roles exist only in the host's own namespace. */
static bool counts(const struct ownership *ownership, const struct live_ns *ns,
		   const struct live_link *link)
{
	if (link->tag.role != ROLE_ATTACH)
		return link->tag.role != ROLE_NONE && ns->host;
	return link->parent_where == PARENT_HOST ||
	       (live_parent_away(link) && placement_of(ownership, ns, &link->tag) == PLACEMENT_OWN);
}

static void links_list(struct indexer *indexer)
{
	const struct live *live = indexer->input->live;
	for (size_t i = 0; i < live->n_namespaces; i++) {
		struct live_ns *ns = live->namespaces[i];
		for (size_t k = 0; k < ns->n_links; k++) {
			const struct live_link *link = &ns->links[k];
			if (!counts(indexer->ownership, ns, link))
				continue;
			const size_t number = indexer->count;
			*array_push(indexer->input->scratch, indexer->links,
				    indexer->count) = (struct managed_link){
				.ns = ns,
				.link = link,
				.number = number,
				.hash = owner_tag_hash(indexer->seed, &link->tag),
				.placement = placement_of(indexer->ownership, ns, &link->tag)};
		}
	}
}

/* The table's slot of the first link with the hash: its entry, or an empty one. */
static size_t tag_place(const struct managed_link *links, const uint32_t *table, size_t size,
			uint64_t hash)
{
	for (size_t i = hash;; i++) {
		const uint32_t number = table[i & (size - 1)];
		if (!number || links[number - 1].hash == hash)
			return i & (size - 1);
	}
}

static size_t link_place(const struct managed_link *links, const uint32_t *table, size_t size,
			 const struct live_link *link)
{
	for (size_t i = (uintptr_t)link / sizeof(*link) * 0x9e3779b1u;; i++) {
		const uint32_t number = table[i & (size - 1)];
		if (!number || links[number - 1].link == link)
			return i & (size - 1);
	}
}

static void link_enter(struct indexer *indexer, size_t number)
{
	struct managed_link *managed = &indexer->links[number];
	uint32_t *first = &indexer->by_tag[tag_place(indexer->links, indexer->by_tag,
						     indexer->table_size, managed->hash)];
	managed->next = *first;
	*first = (uint32_t)number + 1;
	indexer->by_link[link_place(indexer->links, indexer->by_link, indexer->table_size,
				    managed->link)] = (uint32_t)number + 1;
}

/* From the last to the first, so that links of one tag are chained in their order, those on the
 * host's links first. A container can give thousands of links one tag. */
static void links_enter(struct indexer *indexer)
{
	for (size_t i = indexer->count; i-- > 0;)
		if (live_parent_away(indexer->links[i].link))
			link_enter(indexer, i);
	for (size_t i = indexer->count; i-- > 0;)
		if (!live_parent_away(indexer->links[i].link))
			link_enter(indexer, i);
}

struct managed_index managed_index_make(const struct plan_input *input,
					const struct ownership *ownership)
{
	struct indexer indexer = {.input = input,
				  .ownership = ownership,
				  .table_size = 16,
				  .seed = (uint64_t)(uintptr_t)input};
	links_list(&indexer);
	while (indexer.table_size < indexer.count * 2)
		indexer.table_size *= 2;
	indexer.by_tag = arena_alloc(input->scratch, indexer.table_size * sizeof(uint32_t));
	indexer.by_link = arena_alloc(input->scratch, indexer.table_size * sizeof(uint32_t));
	links_enter(&indexer);
	return (struct managed_index){.links = indexer.links,
				      .count = indexer.count,
				      .by_tag = indexer.by_tag,
				      .by_link = indexer.by_link,
				      .table_size = indexer.table_size,
				      .seed = indexer.seed};
}

/* The first link with the tag from `number` on, or NULL. */
static const struct managed_link *managed_from(const struct managed_index *index,
					       const struct owner_tag *tag, uint32_t number)
{
	while (number && owner_tag_compare(&index->links[number - 1].link->tag, tag) != 0)
		number = index->links[number - 1].next;
	return number ? &index->links[number - 1] : NULL;
}

const struct managed_link *managed_first(const struct managed_index *index,
					 const struct owner_tag *tag)
{
	const uint64_t hash = owner_tag_hash(index->seed, tag);
	return managed_from(
		index, tag,
		index->by_tag[tag_place(index->links, index->by_tag, index->table_size, hash)]);
}

const struct managed_link *managed_next(const struct managed_index *index,
					const struct managed_link *managed)
{
	return managed_from(index, &managed->link->tag, managed->next);
}

const struct managed_link *managed_find(const struct managed_index *index,
					const struct owner_tag *tag, const struct live_ns *ns)
{
	const struct managed_link *managed = managed_first(index, tag);
	while (managed && managed->ns != ns)
		managed = managed_next(index, managed);
	return managed;
}

const struct managed_link *managed_of_link(const struct managed_index *index,
					   const struct live_link *link)
{
	const uint32_t number =
		index->by_link[link_place(index->links, index->by_link, index->table_size, link)];
	return number ? &index->links[number - 1] : NULL;
}

bool managed_in_subnet(const struct managed_link *managed, const struct network *network)
{
	each_addr_of (addr, managed->ns, managed->link->ifindex)
		if (network_subnet_of(network, &addr->prefix.ip))
			return true;
	return false;
}

/* Whether an engine or CNI named the namespace, which does not identify the container in it; or its
 * name is a path. A process alone is not a name. */
static bool named_by_engine(const struct live_ns *ns)
{
	static const char *const prefixes[] = {"docker ", "netns-", "cni-", "/"};
	for (size_t i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++)
		if (strncmp(ns->name, prefixes[i], strlen(prefixes[i])) == 0)
			return true;
	return false;
}

bool was_home(const struct managed_link *managed)
{
	return managed->ns->former || named_by_engine(managed->ns) ||
	       strcmp(managed->ns->name, managed->link->tag.container) == 0;
}

static bool is_engines(const struct container *container)
{
	return container->source_kind == SOURCE_DOCKER || container->source_kind == SOURCE_PODMAN;
}

/* Whether the host knows the namespace by that name, or did while it was the container's. */
static bool named_as(const struct live_ns *ns, const char *container)
{
	const size_t length = strlen(container);
	return strncmp(ns->name, container, length) == 0 &&
	       strcmp(ns->name + length, ns->former ? LIVE_FORMER_SUFFIX : "") == 0;
}

bool is_declared(const struct ownership *ownership, const struct set *set,
		 const struct managed_link *managed)
{
	if (is_home_of(ownership, managed->ns, set))
		return true;
	const struct container_lookup *lookup = declared_find(ownership, &managed->link->tag);
	if (!lookup)
		return false;
	return named_as(managed->ns, managed->link->tag.container) ||
	       (managed->placement == PLACEMENT_UNKNOWN && is_engines(lookup->container) &&
		named_by_engine(managed->ns));
}

bool is_evident(const struct managed_link *managed)
{
	if (managed->placement != PLACEMENT_UNKNOWN)
		return managed->placement == PLACEMENT_OWN;
	return was_home(managed);
}
