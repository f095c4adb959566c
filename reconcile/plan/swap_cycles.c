/* Orders changes in place so that each name and MAC is free when it is assigned. In a cycle of
 * waiting changes, one link first gets a temporary name or MAC. */
#include "reconcile/plan/step_build.h"

#include <stdlib.h>
#include <string.h>

/* Names are unique in a namespace, MACs on a parent. */
enum resource { RESOURCE_NAME, RESOURCE_MAC, N_RESOURCES };
static const enum field fields[N_RESOURCES] = {FIELD_NAME, FIELD_MAC};

struct node {
	struct step *step;
	bool changes[N_RESOURCES];
	struct node *waiters[N_RESOURCES]; /* the node that takes the name or MAC of this one */
	struct node *holders[N_RESOURCES]; /* the node whose name or MAC this one takes */
	unsigned waits;                    /* the number of nodes that it waits for */
	size_t seen;                       /* the last walk that visited it */
	bool placed;
};

static bool changes_field(const struct step *step, enum field field)
{
	for (size_t i = 0; i < step->n_changes; i++)
		if (step->changes[i].field == field)
			return true;
	return false;
}

static int scope_compare(uintptr_t a, uintptr_t b)
{
	return a < b ? -1 : a > b;
}

static int name_compare(const struct live_ns *ns, const char *name, const struct step *holders)
{
	int order = scope_compare((uintptr_t)ns, (uintptr_t)holders->ns);
	return order ? order : strcmp(name, holders->current->name);
}

static int mac_compare(int parent, const struct mac *mac, const struct step *holders)
{
	int order = parent - holders->current->parent;
	return order ? order : memcmp(mac->bytes, holders->current->mac.bytes, sizeof(mac->bytes));
}

static int by_name(const void *a, const void *b)
{
	const struct step *left = (*(struct node *const *)a)->step;
	return name_compare(left->ns, left->current->name, (*(struct node *const *)b)->step);
}

static int by_mac(const void *a, const void *b)
{
	const struct step *left = (*(struct node *const *)a)->step;
	return mac_compare(left->current->parent, &left->current->mac,
			   (*(struct node *const *)b)->step);
}

/* The key identifies the name or MAC that the node takes. */
static int name_find(const void *key, const void *holders)
{
	const struct step *step = ((const struct node *)key)->step;
	return name_compare(step->ns, step->desired->name, (*(struct node *const *)holders)->step);
}

static int mac_find(const void *key, const void *holders)
{
	const struct step *step = ((const struct node *)key)->step;
	return mac_compare(step->current->parent, &step->desired->mac,
			   (*(struct node *const *)holders)->step);
}

static int (*const sorters[N_RESOURCES])(const void *, const void *) = {by_name, by_mac};
static int (*const finders[N_RESOURCES])(const void *, const void *) = {name_find, mac_find};

/* Records which node waits for which. */
static void waits_find(struct arena *arena, struct node *nodes, size_t count,
		       enum resource resource)
{
	struct node **holders = arena_alloc(arena, count * sizeof(struct node *));
	size_t n_holders = 0;
	for (size_t i = 0; i < count; i++)
		if (nodes[i].changes[resource])
			holders[n_holders++] = &nodes[i];
	if (n_holders)
		qsort(holders, n_holders, sizeof(*holders), sorters[resource]);
	for (size_t i = 0; n_holders && i < count; i++) {
		struct node *node = &nodes[i];
		struct node **holder = node->changes[resource]
					       ? bsearch(node, holders, n_holders, sizeof(*holders),
							 finders[resource])
					       : NULL;
		if (!holder || *holder == node)
			continue;
		(*holder)->waiters[resource] = node;
		node->holders[resource] = *holder;
		node->waits++;
	}
}

/* Releases the node that waits for this one's name or MAC. */
static void release(struct node *node, enum resource resource)
{
	struct node *waiter = node->waiters[resource];
	if (!waiter)
		return;
	waiter->holders[resource] = NULL;
	waiter->waits--;
	node->waiters[resource] = NULL;
}

/* Places the node and then, link by link, those that waited only for it. */
static size_t place(struct node *node, struct step *sorted, size_t count)
{
	while (node && !node->placed && node->waits == 0) {
		struct node *next = node->waiters[RESOURCE_MAC],
			    *other = node->waiters[RESOURCE_NAME];
		sorted[count++] = *node->step;
		node->placed = true;
		release(node, RESOURCE_NAME);
		release(node, RESOURCE_MAC);
		if (other && other->waits == 0 && other != next)
			count = place(other, sorted, count);
		node = next;
	}
	return count;
}

static size_t place_all(struct node *nodes, size_t count, struct step *sorted, size_t placed)
{
	for (size_t i = 0; i < count; i++)
		placed = place(&nodes[i], sorted, placed);
	return placed;
}

static enum resource awaited_resource(const struct node *node)
{
	return node->holders[RESOURCE_NAME] ? RESOURCE_NAME : RESOURCE_MAC;
}

/* A node in a cycle: following the waiting nodes ends in one. */
static struct node *cycle_find(struct node *node, size_t walk)
{
	while (node->seen != walk) {
		node->seen = walk;
		node = node->holders[awaited_resource(node)];
	}
	return node;
}

/* A node of the cycle that can proceed immediately when it gets the name or MAC that it waits
 * for. */
static struct node *cycle_weakest(struct node *start)
{
	struct node *node = start, *weakest = start;
	do {
		if (node->waits == 1)
			weakest = node;
		node = node->holders[awaited_resource(node)];
	} while (node != start);
	return weakest;
}

static void temporary_make(struct node *holder, enum resource resource)
{
	holder->step->temporary.name |= resource == RESOURCE_NAME;
	holder->step->temporary.mac |= resource == RESOURCE_MAC;
	release(holder, resource);
}

/* Frees the name or MAC that the node waits for in its cycle early, by a temporary one. */
static void cycle_break(struct node *waiter)
{
	enum resource resource = awaited_resource(waiter);
	temporary_make(waiter->holders[resource], resource);
}

/* Up to this number of waiting nodes, all combinations are tried, for the fewest temporary names.
 * Beyond it, each cycle is broken at one node, which may be more than the minimum if cycles share
 * links. */
#define EDGES_MAX 12

/* A name or MAC that a node waits for. */
struct edge {
	struct node *holder, *waiter;
	enum resource resource;
};

/* Returns their number, or EDGES_MAX + 1 if there are more. */
static size_t edges_find(struct node *nodes, size_t count, struct edge edges[EDGES_MAX])
{
	size_t found = 0;
	for (size_t i = 0; i < count; i++)
		for (enum resource resource = 0; resource < N_RESOURCES; resource++) {
			if (!nodes[i].waiters[resource])
				continue;
			if (found == EDGES_MAX)
				return EDGES_MAX + 1;
			edges[found++] =
				(struct edge){&nodes[i], nodes[i].waiters[resource], resource};
		}
	return found;
}

static bool waits(const struct edge *edges, size_t count, unsigned open, const struct node *node)
{
	for (size_t i = 0; i < count; i++)
		if (open & 1u << i && edges[i].waiter == node)
			return true;
	return false;
}

/* Whether all nodes can proceed after these names and MACs (one bit each) are freed early. */
static bool frees_all(const struct edge *edges, size_t count, unsigned given_up)
{
	unsigned open = ((1u << count) - 1) & ~given_up, before;
	do {
		before = open;
		for (size_t i = 0; i < count; i++)
			if (!waits(edges, count, open, edges[i].holder))
				open &= ~(1u << i);
	} while (open != before);
	return open == 0;
}

/* The smallest combination that frees all; of equally small ones, that of the first nodes. */
static unsigned fewest_find(const struct edge *edges, size_t count)
{
	unsigned fewest = (1u << count) - 1;
	for (unsigned set = 1; set < 1u << count; set++)
		if (__builtin_popcount(set) < __builtin_popcount(fewest) &&
		    frees_all(edges, count, set))
			fewest = set;
	return fewest;
}

/* Breaks all cycles, if they are few; otherwise the cycle that is reachable from this node. */
static void cycles_break(struct node *nodes, size_t count, struct node *from, size_t walk)
{
	struct edge edges[EDGES_MAX];
	size_t n_edges = edges_find(nodes, count, edges);
	if (n_edges > EDGES_MAX) {
		cycle_break(cycle_weakest(cycle_find(from, walk)));
		return;
	}
	unsigned fewest = fewest_find(edges, n_edges);
	for (size_t i = 0; i < n_edges; i++)
		if (fewest & 1u << i)
			temporary_make(edges[i].holder, edges[i].resource);
}

void swap_cycles_break(struct arena *scratch, struct step *steps, size_t count)
{
	struct node *nodes = arena_alloc(scratch, count * sizeof(*nodes));
	struct step *sorted = arena_alloc(scratch, count * sizeof(*sorted));
	for (size_t i = 0; i < count; i++) {
		nodes[i].step = &steps[i];
		for (size_t resource = 0; resource < N_RESOURCES; resource++)
			nodes[i].changes[resource] = changes_field(&steps[i], fields[resource]);
	}
	for (enum resource resource = 0; resource < N_RESOURCES; resource++)
		waits_find(scratch, nodes, count, resource);

	size_t placed = place_all(nodes, count, sorted, 0), walk = 0;
	for (size_t i = 0; placed < count;) {
		if (nodes[i].placed)
			i++;
		else {
			cycles_break(nodes, count, &nodes[i], ++walk);
			placed = place_all(nodes, count, sorted, placed);
		}
	}
	if (count)
		memcpy(steps, sorted, count * sizeof(*sorted));
}
