/* Sorted indexes of a namespace's links, addresses and routes. Whoever controls the namespace
 * decides their number, so a search must not be linear. */
#include "reconcile/state/state.h"

#include "lib/memory.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

/* Below this number a linear search is as fast. */
#define INDEX_FROM 32

struct live_name {
	const char *text;
	const struct live_link *link;
};

struct live_index {
	const struct live_link **links; /* by ifindex */
	struct live_name *names;        /* names and altnames, sorted */
	size_t n_names;
	const struct live_link *policy_ipv4, *policy_ipv6; /* live_policy_link */
};

static int number_compare(int a, int b)
{
	return (a > b) - (a < b);
}

static int link_compare(const void *a, const void *b)
{
	const struct live_link *left = *(const struct live_link *const *)a;
	const struct live_link *right = *(const struct live_link *const *)b;
	return number_compare(left->ifindex, right->ifindex);
}

/* The first of two links with the same name: escaped names can be equal when they are cut. */
static int name_compare(const void *a, const void *b)
{
	const struct live_name *left = a, *right = b;
	const int order = strcmp(left->text, right->text);
	return order ? order : (left->link > right->link) - (left->link < right->link);
}

static void names_list(struct live_ns *ns, struct live_index *index)
{
	size_t count = ns->n_links;
	for (size_t i = 0; i < ns->n_links; i++)
		count += ns->links[i].n_altnames;
	index->names = arena_alloc(ns->arena, count * sizeof(*index->names));
	for (size_t i = 0; i < ns->n_links; i++) {
		const struct live_link *link = &ns->links[i];
		index->names[index->n_names++] = (struct live_name){link->name, link};
		for (size_t k = 0; k < link->n_altnames; k++)
			index->names[index->n_names++] =
				(struct live_name){link->altnames[k], link};
	}
	qsort(index->names, index->n_names, sizeof(*index->names), name_compare);
}

/* Both structs begin with the ifindex. */
_Static_assert(offsetof(struct live_addr, ifindex) == 0, "ifindex_of");
_Static_assert(offsetof(struct live_route, ifindex) == 0, "ifindex_of");

static int ifindex_of(const void *item)
{
	int ifindex;
	memcpy(&ifindex, item, sizeof(ifindex));
	return ifindex;
}

/* Stable: items of one link stay in the kernel's order. */
static int item_compare(const void *a, const void *b)
{
	const char *left = *(const char *const *)a, *right = *(const char *const *)b;
	const int order = number_compare(ifindex_of(left), ifindex_of(right));
	return order ? order : (left > right) - (left < right);
}

static void *items_sort(struct arena *arena, const void *items, size_t count, size_t size)
{
	if (count == 0)
		return NULL;
	const char **places = memory_new(count, sizeof(*places));
	char *sorted = arena_alloc(arena, count * size);
	for (size_t i = 0; i < count; i++)
		places[i] = (const char *)items + i * size;
	qsort(places, count, sizeof(*places), item_compare);
	for (size_t i = 0; i < count; i++)
		memcpy(sorted + i * size, places[i], size);
	free(places);
	return sorted;
}

bool live_route_is_default(const struct live_route *route)
{
	return !route->to.len && !route->options.type &&
	       (!route->table || route->table == POLICY_TABLE);
}

bool live_route_is_source(const struct live_route *route)
{
	return route->proto == OWNER_TAG_PROTOCOL && table_is_source(route->table);
}

bool live_policy_default(const struct live_route *route, uint8_t family)
{
	return !route->to.len && route->to.ip.family == family && route->table == POLICY_TABLE &&
	       route->proto == OWNER_TAG_PROTOCOL;
}

static const struct live_link *policy_link_find(const struct live_ns *ns, uint8_t family)
{
	for (size_t i = 0; i < ns->n_routes; i++)
		if (live_policy_default(&ns->routes[i], family))
			return live_link_by_index(ns, ns->routes[i].ifindex);
	for (size_t i = 0; i < ns->n_links; i++)
		if (ns->links[i].tag.role == ROLE_ATTACH)
			return &ns->links[i];
	return NULL;
}

void live_ns_index(struct live_ns *ns)
{
	if (ns->n_links + ns->n_addrs + ns->n_routes < INDEX_FROM)
		return;
	struct live_index *index = arena_alloc(ns->arena, sizeof(*index));
	index->links = arena_alloc(ns->arena, ns->n_links * sizeof(struct live_link *));
	for (size_t i = 0; i < ns->n_links; i++)
		index->links[i] = &ns->links[i];
	qsort(index->links, ns->n_links, sizeof(struct live_link *), link_compare);
	names_list(ns, index);
	ns->addrs = items_sort(ns->arena, ns->addrs, ns->n_addrs, sizeof(*ns->addrs));
	ns->routes = items_sort(ns->arena, ns->routes, ns->n_routes, sizeof(*ns->routes));
	index->policy_ipv4 = policy_link_find(ns, AF_INET);
	index->policy_ipv6 = policy_link_find(ns, AF_INET6);
	ns->index = index;
}

const struct live_link *live_policy_link(const struct live_ns *ns, uint8_t family)
{
	if (ns->index)
		return family == AF_INET6 ? ns->index->policy_ipv6 : ns->index->policy_ipv4;
	return policy_link_find(ns, family);
}

static const struct live_link *indexed_by_number(const struct live_ns *ns, int ifindex)
{
	size_t low = 0, high = ns->n_links;
	while (low < high) {
		const size_t middle = low + (high - low) / 2;
		if (ns->index->links[middle]->ifindex < ifindex)
			low = middle + 1;
		else
			high = middle;
	}
	const bool found = low < ns->n_links && ns->index->links[low]->ifindex == ifindex;
	return found ? ns->index->links[low] : NULL;
}

const struct live_link *live_link_by_index(const struct live_ns *ns, int ifindex)
{
	if (ns->index)
		return indexed_by_number(ns, ifindex);
	for (size_t i = 0; i < ns->n_links; i++)
		if (ns->links[i].ifindex == ifindex)
			return &ns->links[i];
	return NULL;
}

static const struct live_link *indexed_by_name(const struct live_index *index, const char *name)
{
	size_t low = 0, high = index->n_names;
	while (low < high) {
		const size_t middle = low + (high - low) / 2;
		if (strcmp(index->names[middle].text, name) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	const bool found = low < index->n_names && strcmp(index->names[low].text, name) == 0;
	return found ? index->names[low].link : NULL;
}

const struct live_link *live_link_by_name(const struct live_ns *ns, const char *name)
{
	if (ns->index)
		return indexed_by_name(ns->index, name);
	for (size_t i = 0; i < ns->n_links; i++)
		if (live_link_is_called(&ns->links[i], name))
			return &ns->links[i];
	return NULL;
}

/* The first item of the link from number `from` on, or `count`. */
static size_t item_find(const struct live_ns *ns, int ifindex, const void *items, size_t size,
			size_t from, size_t count)
{
	const char *bytes = items;
	size_t low = from, high = count;
	if (from && ns->index) /* after one of the link's */
		return from < count && ifindex_of(bytes + from * size) == ifindex ? from : count;
	while (ns->index && low < high) {
		const size_t middle = low + (high - low) / 2;
		if (ifindex_of(bytes + middle * size) < ifindex)
			low = middle + 1;
		else
			high = middle;
	}
	while (!ns->index && low < count && ifindex_of(bytes + low * size) != ifindex)
		low++;
	return low < count && ifindex_of(bytes + low * size) == ifindex ? low : count;
}

const struct live_addr *live_addr_next(const struct live_ns *ns, int ifindex,
				       const struct live_addr *after)
{
	const size_t from = after ? (size_t)(after - ns->addrs) + 1 : 0;
	const size_t at = item_find(ns, ifindex, ns->addrs, sizeof(*ns->addrs), from, ns->n_addrs);
	return at < ns->n_addrs ? &ns->addrs[at] : NULL;
}

const struct live_route *live_route_next(const struct live_ns *ns, int ifindex,
					 const struct live_route *after)
{
	const size_t from = after ? (size_t)(after - ns->routes) + 1 : 0;
	const size_t at =
		item_find(ns, ifindex, ns->routes, sizeof(*ns->routes), from, ns->n_routes);
	return at < ns->n_routes ? &ns->routes[at] : NULL;
}
