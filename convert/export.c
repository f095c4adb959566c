#include "convert/export.h"

#include "convert/adopt.h"
#include "convert/model_to_yaml.h"
#include "convert/observed_set.h"
#include "schema/source_text.h"

#include <stdlib.h>
#include <string.h>

/* An attachment counts where its parent is this host's, all else in the host's own namespace. */
static bool counts(const struct live_ns *ns, const struct live_link *link)
{
	if (link->mark.role == ROLE_ATTACH)
		return link->parent_where == PARENT_HOST && !ns->host;
	return link->mark.role != ROLE_NONE && ns->host;
}

typedef void link_visit(void *data, const struct live_ns *ns, const struct live_link *link);

static void each_link(const struct live *live, link_visit *visit, void *data)
{
	for (size_t i = 0; i < live->n_namespaces; i++)
		for (size_t k = 0; k < live->namespaces[i]->n_links; k++)
			if (counts(live->namespaces[i], &live->namespaces[i]->links[k]))
				visit(data, live->namespaces[i], &live->namespaces[i]->links[k]);
}

struct listing {
	struct arena *arena;
	const struct set_names *wanted;
	struct set_names names;
};

static bool name_among(const struct set_names *names, const char *name)
{
	for (size_t i = 0; i < names->count; i++)
		if (strcmp(names->items[i], name) == 0)
			return true;
	return false;
}

static void name_list(struct listing *listing, const char *name)
{
	if ((!listing->wanted->count || name_among(listing->wanted, name)) &&
	    !name_among(&listing->names, name))
		*array_push(listing->arena, listing->names.items, listing->names.count) = name;
}

static void names_visit(void *data, const struct live_ns *ns, const struct live_link *link)
{
	(void)ns;
	if (link->mark.role != ROLE_VLAN)
		name_list(data, link->mark.set);
	for (size_t i = 0; i < link->mark.n_sets; i++)
		name_list(data, link->mark.sets[i]);
}

static int text_compare(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* By which name the host knows the namespace, or NULL. */
static const char *name_of_namespace(const struct observed_set *set, size_t namespace)
{
	const struct origin *origin = &set->origins[namespace];
	return origin->engine ? origin->engine : origin->netns;
}

static bool is_attachment(const struct observed_set *set, const struct live_ns *ns,
			  const struct live_link *link, const char *container)
{
	return counts(ns, link) && link->mark.role == ROLE_ATTACH &&
	       owner_tag_has_set(&link->mark, set->name) && container &&
	       strcmp(link->mark.container, container) == 0;
}

/* Whether an attachment of the set's container of that name is in the namespace. */
static bool holds(const struct observed_set *set, const struct live_ns *ns, const char *container)
{
	for (size_t i = 0; i < ns->n_links; i++)
		if (is_attachment(set, ns, &ns->links[i], container))
			return true;
	return false;
}

/* Whether the namespace that has the container's name holds it: then it is nowhere else. */
static bool at_home_elsewhere(const struct observed_set *set, const char *container)
{
	for (size_t i = 0; i < set->live->n_namespaces; i++) {
		const char *name = name_of_namespace(set, i);
		if (name && strcmp(name, container) == 0)
			return holds(set, set->live->namespaces[i], container);
	}
	return false;
}

struct taking {
	struct observed_set *set;
	struct notes *notes;
};

/* Which container a namespace is, anybody who has it can say by a mark. One that says the name that
 * the host knows it by is believed before others are. */
static void attachments_take(const struct taking *taking, size_t namespace)
{
	struct observed_set *set = taking->set;
	const struct live_ns *ns = set->live->namespaces[namespace];
	const char *name = name_of_namespace(set, namespace);
	const bool own = name && holds(set, ns, name);
	size_t left = 0;
	for (size_t i = 0; i < ns->n_links; i++) {
		const struct live_link *link = &ns->links[i];
		const struct owner_tag *mark = &link->mark;
		if (!is_attachment(set, ns, link, mark->container))
			continue;
		const bool named = name && strcmp(name, mark->container) == 0;
		if (named || (!own && !at_home_elsewhere(set, mark->container)))
			observed_attachment(set, mark->network, mark->container, ns, link);
		else if (left++ == 0)
			note_add(set->arena, taking->notes,
				 "%s in %s is left out: it is not in the namespace of the "
				 "container that its mark names",
				 text_printable(link->name, strlen(link->name)) ? link->name
										: "a link",
				 ns->name);
	}
	if (left > 1)
		note_add(set->arena, taking->notes, "so are %zu more in %s", left - 1, ns->name);
}

static void host_take(void *data, const struct live_ns *ns, const struct live_link *link)
{
	struct observed_set *set = data;
	(void)ns;
	if (link->mark.role == ROLE_HOST && owner_tag_has_set(&link->mark, set->name))
		observed_host(set, link->mark.network, link);
}

static bool network_exists(const struct observed_set *set, const char *name)
{
	for (size_t i = 0; i < set->n_networks; i++)
		if (strcmp(set->networks[i].model.name, name) == 0)
			return true;
	return false;
}

/* What makes networks comes before the VLANs and dummies that have none. */
static const char *vlan_network_name(const struct observed_set *set, const struct live_link *link)
{
	const char *name = arena_printf(set->arena, "vlan%u", link->vlan);
	for (unsigned n = 2; network_exists(set, name); n++)
		name = arena_printf(set->arena, "vlan%u-%u", link->vlan, n);
	return name;
}

static void parent_take(void *data, const struct live_ns *ns, const struct live_link *link)
{
	struct observed_set *set = data;
	(void)ns;
	if (!owner_tag_has_set(&link->mark, set->name))
		return;
	if (link->mark.role == ROLE_DUMMY)
		observed_parent(set, link->mark.network, link);
	else if (link->mark.role == ROLE_VLAN && !observed_on(set, link))
		observed_parent(set, vlan_network_name(set, link), link);
}

static void put_notes(struct tree *tree, const struct notes *notes)
{
	for (size_t i = 0; i < notes->count; i++)
		tree_comment(tree, "%s", notes->items[i]);
}

/* How many VLAN links the network's parent is on: what is below has to be declared before. */
static unsigned depth(const struct observed_set *set, const struct observed_network *network)
{
	unsigned depth = 0;
	for (const struct live_link *link = network->parent;
	     link && link->kind == KIND_VLAN && link->parent_where == PARENT_HOST; depth++)
		link = live_link_by_index(set->live->namespaces[0], link->parent);
	return depth;
}

struct place_in_order {
	const struct observed_network *network;
	unsigned depth;
};

static int order_compare(const void *a, const void *b)
{
	const struct place_in_order *left = a, *right = b;
	if (left->depth != right->depth)
		return left->depth < right->depth ? -1 : 1;
	return strcmp(left->network->model.name, right->network->model.name);
}

static void put_networks(struct tree *document, const struct observed_set *set)
{
	struct place_in_order *order =
		arena_alloc(set->arena, set->n_networks * sizeof(struct place_in_order));
	for (size_t i = 0; i < set->n_networks; i++)
		order[i] =
			(struct place_in_order){&set->networks[i], depth(set, &set->networks[i])};
	if (set->n_networks)
		qsort(order, set->n_networks, sizeof(*order), order_compare);
	struct tree *networks = tree_map(document, "networks");
	for (size_t i = 0; i < set->n_networks; i++) {
		struct tree *map = tree_map(networks, order[i].network->model.name);
		put_notes(map, &order[i].network->notes);
		serialise_network(map, &order[i].network->model);
	}
}

static void put_container(struct tree *containers, const struct observed_set *set,
			  const struct observed_container *container)
{
	struct tree *map = tree_map(containers, container->model.name);
	put_notes(map, &container->notes);
	serialise_source(map, &container->model);
	struct tree *networks = tree_map(map, "networks");
	for (size_t i = 0; i < container->n_attachments; i++) {
		const struct observed_attachment *attachment = &container->attachments[i];
		struct tree *body =
			tree_map(networks, set->networks[attachment->network].model.name);
		put_notes(body, &attachment->notes);
		serialise_attachment(body, &attachment->model);
	}
}

static struct tree *document_make(const struct observed_set *set, const struct notes *notes)
{
	struct tree *document = tree_new(set->arena);
	put_notes(document, notes);
	if (strcmp(set->name, "default") != 0)
		tree_text(document, "name", set->name);
	put_networks(document, set);
	struct tree *containers = set->n_containers ? tree_map(document, "containers") : NULL;
	for (size_t i = 0; i < set->n_containers; i++)
		put_container(containers, set, &set->containers[i]);
	return document;
}

struct exports export_live(const struct live *live, const struct origin *origins,
			   const struct set_names *names, const char *adopt, struct arena *arena)
{
	struct exports exports = {0};
	struct listing listing = {.arena = arena, .wanted = names};
	each_link(live, names_visit, &listing);
	if (adopt)
		name_list(&listing, adopt);
	if (listing.names.count)
		qsort(listing.names.items, listing.names.count, sizeof(*listing.names.items),
		      text_compare);
	for (size_t i = 0; i < listing.names.count; i++) {
		struct observed_set set = {.arena = arena,
					   .live = live,
					   .origins = origins,
					   .name = listing.names.items[i]};
		struct notes notes = {0};
		const struct taking taking = {.set = &set, .notes = &notes};
		/* The host's own links say what a network is before any container's does. */
		each_link(live, host_take, &set);
		for (size_t k = 0; k < live->n_namespaces; k++)
			attachments_take(&taking, k);
		each_link(live, parent_take, &set);
		if (adopt && strcmp(adopt, set.name) == 0)
			adopt_take(&set, &notes);
		observed_finish(&set);
		*array_push(arena, exports.items, exports.count) =
			(struct exported){.set = set.name, .tree = document_make(&set, &notes)};
	}
	return exports;
}
