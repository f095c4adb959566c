#include "convert/export.h"

#include "convert/adopt.h"
#include "convert/model_to_yaml.h"
#include "convert/observed_set.h"
#include "schema/source_text.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

struct collector {
	struct observed_set *set;
	const struct index *named; /* namespaces, by their name on the host */
	struct notes *notes;
};

static const struct origin *origin_of(const struct index *origins, const struct live_ns *ns)
{
	return index_get(origins, &ns, sizeof(ns));
}

/* The name by which the host knows the namespace, or NULL. */
static const char *name_of_origin(const struct origin *origin)
{
	return origin->owner ? origin->owner : origin->netns;
}

/* Not 0: an attachment of the set's container of that name is in the namespace. */
static size_t *container_in(const struct observed_set *set, const struct live_ns *ns,
			    const char *container)
{
	return observed_place(set, "%p holds %s", (const void *)ns, container);
}

/* Whether the container is in the namespace with its name: then it is in no other. */
static bool found_in_another_netns(const struct collector *collector, const char *container)
{
	const struct live_ns *ns = index_get_text(collector->named, container);
	return ns && *container_in(collector->set, ns, container);
}

/* Whoever controls a namespace can claim by an owner tag which container it is. A tag with the
 * namespace's name on the host takes precedence; if there is none, only the first tag counts, as a
 * file cannot assign a namespace to two containers. */
static bool is_trusted(const struct collector *collector, const struct set_link *member)
{
	const struct observed_set *set = collector->set;
	const char *name = name_of_origin(origin_of(set->origins, member->ns));
	const char *container = member->link->tag.container;
	if (name && (strcmp(name, container) == 0 || *container_in(set, member->ns, name)))
		return strcmp(name, container) == 0;
	const struct observed_container *known = observed_container_in(set, member->ns);
	return !found_in_another_netns(collector, container) &&
	       (!known || strcmp(known->model.name, container) == 0);
}

static void attachment_unconverted(const struct collector *collector, const struct set_link *member)
{
	const char *name = member->link->name;
	note_add(collector->set->arena, collector->notes,
		 "%s in %s is not exported: it is not in the namespace of the container in its "
		 "owner tag",
		 text_printable(name, strlen(name)) ? name : "a link", member->ns->name);
}

static bool is_attachment(const struct set_link *member)
{
	return member->link->tag.role == ROLE_ATTACH;
}

/* The links of one namespace, which are contiguous from number `from` on. Returns the number of the
 * first link of the next. */
static size_t namespace_take(const struct collector *collector, const struct live_set *links,
			     size_t from)
{
	const struct live_ns *ns = links->links[from].ns;
	size_t left = 0, i = from;
	for (; i < links->n_links && links->links[i].ns == ns; i++) {
		const struct set_link *member = &links->links[i];
		const struct owner_tag *tag = &member->link->tag;
		if (!is_attachment(member))
			continue;
		if (is_trusted(collector, member))
			observed_attachment(collector->set,
					    &(struct observed_names){tag->network, tag->container,
								     owner_tag_attachment(tag)},
					    ns, member->link);
		else if (left++ == 0)
			attachment_unconverted(collector, member);
	}
	if (left > 1)
		note_add(collector->set->arena, collector->notes,
			 "%zu more links in %s are not exported for the same reason", left - 1,
			 ns->name);
	return i;
}

static void attachments_take(const struct collector *collector, const struct live_set *links)
{
	for (size_t i = 0; i < links->n_links; i++)
		if (is_attachment(&links->links[i]))
			*container_in(collector->set, links->links[i].ns,
				      links->links[i].link->tag.container) = 1;
	for (size_t i = 0; i < links->n_links;)
		i = namespace_take(collector, links, i);
}

/* Links that imply networks come before VLANs and dummies without any. */
static const char *vlan_network_name(const struct observed_set *set, const struct live_link *link)
{
	const char *name = arena_printf(set->arena, "vlan%u", link->vlan);
	for (unsigned n = 2; observed_network_find(set, name); n++)
		name = arena_printf(set->arena, "vlan%u-%u", link->vlan, n);
	return name;
}

static void parent_take(struct observed_set *set, const struct live_link *link)
{
	if (link->tag.role == ROLE_DUMMY)
		observed_parent(set, link->tag.network, link);
	else if (link->tag.role == ROLE_VLAN && !observed_on(set, link))
		observed_parent(set, vlan_network_name(set, link), link);
}

/* The host's own links define a network before containers' links do. */
static void links_take(const struct collector *collector, const struct live_set *links)
{
	for (size_t i = 0; i < links->n_links; i++)
		if (links->links[i].link->tag.role == ROLE_HOST)
			observed_host(collector->set, links->links[i].link->tag.network,
				      links->links[i].link);
	attachments_take(collector, links);
	observed_resolve(collector->set);
	for (size_t i = 0; i < links->n_links; i++)
		parent_take(collector->set, links->links[i].link);
}

static void put_notes(struct tree *tree, const struct notes *notes)
{
	for (size_t i = 0; i < notes->count; i++)
		tree_comment(tree, "%s", notes->items[i]);
}

/* The number of VLAN links below the network's parent: the lower ones have to be declared first. */
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

/* A live network without an address has none. What an import writes without a subnet is unknown. */
static void put_layer2(struct tree *map, const struct network *network)
{
	if (!network->n_subnets && !network->dhcp)
		(void)tree_list(map, "subnets");
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
		put_layer2(map, &order[i].network->model);
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
		const char *network = set->networks[attachment->network].model.name;
		struct tree *body = tree_map(networks, attachment->model.name);
		put_notes(body, &attachment->notes);
		if (strcmp(attachment->model.name, network) != 0)
			tree_text(body, "network", network);
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

struct exporter {
	const struct live *live;
	const char *adopt;
	struct index *origins; /* struct origin, by pointer to the namespace */
	struct index *named;   /* namespaces, by their name on the host */
	struct index *guests;  /* struct guest, by the name of the set */
	struct arena *arena;
};

/* A guest on a network of a set; the next one of the same set. */
struct guest {
	const struct owner_tag *tag;
	const struct guest *next;
};

static void guest_index(struct exporter *exporter, const struct owner_tag *tag)
{
	struct guest *guest = arena_alloc(exporter->arena, sizeof(*guest));
	struct guest *first = index_put_text(exporter->guests, tag->set, guest);
	*guest = (struct guest){.tag = tag, .next = first ? first->next : NULL};
	if (first)
		first->next = guest;
}

static void guests_index(struct exporter *exporter)
{
	const struct live *live = exporter->live;
	for (size_t i = 1; i < live->n_namespaces; i++)
		for (size_t k = 0; k < live->namespaces[i]->n_links; k++)
			if (live->namespaces[i]->links[k].tag.role == ROLE_GUEST)
				guest_index(exporter, &live->namespaces[i]->links[k].tag);
}

/* Guests are not declared: a file with them would attach them a second time. */
static void guests_note(const struct exporter *exporter, const char *set, struct notes *notes)
{
	for (const struct guest *guest = index_get_text(exporter->guests, set); guest;
	     guest = guest->next) {
		const struct guest_label label = owner_tag_guest(exporter->arena, guest->tag);
		note_add(exporter->arena, notes,
			 "%s on %s is not exported: it is a guest that its runtime attached (%s)",
			 label.name, guest->tag->network, label.source);
	}
}

static struct exported set_export(const struct exporter *exporter, const struct live_set *links,
				  struct exports *exports)
{
	struct observed_set set = {.arena = exporter->arena,
				   .live = exporter->live,
				   .origins = exporter->origins,
				   .name = links->name,
				   .places = index_new(links->n_links)};
	struct notes notes = {0};
	const struct collector collector = {.set = &set, .named = exporter->named, .notes = &notes};
	links_take(&collector, links);
	guests_note(exporter, set.name, &notes);
	if (exporter->adopt && strcmp(exporter->adopt, set.name) == 0)
		adopt_take(&set, &notes);
	observed_finish(&set);
	for (size_t i = 0; i < set.dissents.count; i++)
		*array_push(set.arena, exports->dissents, exports->n_dissents) =
			set.dissents.items[i];
	index_free(set.places);
	return (struct exported){.set = set.name,
				 .tree = document_make(&set, &notes),
				 .empty = !set.n_networks && !set.n_containers && !notes.count};
}

/* The first of two namespaces with the same name. */
static void namespaces_index(struct exporter *exporter, const struct origin *origins)
{
	const struct live *live = exporter->live;
	for (size_t i = 0; i < live->n_namespaces; i++) {
		const char *name = name_of_origin(&origins[i]);
		index_put(exporter->origins, &live->namespaces[i], sizeof(live->namespaces[i]),
			  (void *)(uintptr_t)&origins[i]);
		if (name)
			index_put_text(exporter->named, name, live->namespaces[i]);
	}
}

struct exports export_live(const struct live *live, const struct origin *origins,
			   const struct set_names *names, const char *adopt, struct arena *arena)
{
	struct exports exports = {0};
	struct exporter exporter = {.live = live,
				    .adopt = adopt,
				    .origins = index_new(live->n_namespaces),
				    .named = index_new(live->n_namespaces),
				    .guests = index_new(0),
				    .arena = arena};
	const struct live_sets sets = live_sets_find(live, names, adopt, arena);
	namespaces_index(&exporter, origins);
	guests_index(&exporter);
	for (size_t i = 0; i < sets.count; i++)
		*array_push(arena, exports.items, exports.count) =
			set_export(&exporter, &sets.items[i], &exports);
	index_free(exporter.origins);
	index_free(exporter.named);
	index_free(exporter.guests);
	return exports;
}
