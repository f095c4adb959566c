#include "lib/thread_pool.h"
#include "reconcile/observe/init_hints.h"
#include "reconcile/observe/internal.h"
#include "reconcile/observe/namespace.h"
#include "reconcile/observe/netns_lookup.h"

#include <stdlib.h>
#include <string.h>

static int source_compare(const struct container *a, const struct container *b)
{
	if (a->source_kind != b->source_kind)
		return a->source_kind < b->source_kind ? -1 : 1;
	return strcmp(a->source, b->source);
}

static int lookup_compare(const void *a, const void *b)
{
	return source_compare((*(const struct container_lookup *const *)a)->container,
			      (*(const struct container_lookup *const *)b)->container);
}

static int container_find(const void *key, const void *lookup)
{
	return source_compare(key, (*(const struct container_lookup *const *)lookup)->container);
}

static void container_lookups_sort(struct observer *observer)
{
	const struct live *before = observer->before;
	observer->sorted =
		arena_alloc(observer->scratch, before->n_containers * sizeof(*observer->sorted));
	for (size_t i = 0; i < before->n_containers; i++)
		observer->sorted[i] = &before->container_lookups[i];
	if (before->n_containers)
		qsort(observer->sorted, before->n_containers, sizeof(*observer->sorted),
		      lookup_compare);
}

/* The earlier result for the same source, usually at the same index. */
static const struct container_lookup *container_before(struct observer *observer, size_t number,
						       const struct container *container)
{
	const struct live *before = observer->before;
	if (!before || !before->n_containers)
		return NULL;
	if (number < before->n_containers &&
	    source_compare(before->container_lookups[number].container, container) == 0)
		return &before->container_lookups[number];
	if (!observer->sorted)
		container_lookups_sort(observer);
	const struct container_lookup **found =
		bsearch(container, observer->sorted, before->n_containers,
			sizeof(*observer->sorted), container_find);
	return found ? *found : NULL;
}

/* Whether the earlier result is valid and needs no open handle. */
static bool container_fresh(const struct container_lookup *lookup)
{
	return lookup && !lookup->stale && lookup->container->source_kind != SOURCE_CNI &&
	       !(lookup->ns && lookup->ns->stale && !lookup->ns->handle);
}

static const char *copied(struct observer *observer, const char *text)
{
	return text ? arena_strdup(observer->live->arena, text) : NULL;
}

static void container_enter(struct observer *observer, struct container_lookup *lookup,
			    struct namespace *namespace)
{
	size_t number = (size_t)(lookup - observer->live->container_lookups);
	lookup->ns = namespace->ns;
	observer->next_container[number] = namespace->lookup;
	namespace->lookup = number;
}

static struct namespace *namespace_before(const struct observer *observer,
					  const struct container_lookup *before)
{
	return before->ns ? &observer->namespaces[*namespace_slot(observer, before->ns->inode) - 1]
			  : NULL;
}

void container_keep(struct observer *observer, struct container_lookup *lookup,
		    const struct container_lookup *before)
{
	lookup->state = before->state;
	lookup->engine_pending = before->engine_pending;
	lookup->absent = before->absent;
	lookup->code = before->code;
	lookup->reason = copied(observer, before->reason);
	lookup->hint = copied(observer, before->hint);
	lookup->id = copied(observer, before->id);
	lookup->note = copied(observer, before->note);
	struct namespace *namespace = namespace_before(observer, before);
	if (namespace)
		container_enter(observer, lookup, namespace);
}

/* The name of a container that the namespace belongs to now; otherwise its former name. */
static void namespace_name(struct observer *observer, struct namespace *namespace,
			   const char *former)
{
	struct arena *arena = observer->live->arena;
	namespace->ns->former = namespace->lookup == NOBODY;
	if (namespace->ns->former) {
		namespace_rename(namespace->ns,
				 arena_printf(arena, "%s" LIVE_FORMER_SUFFIX, former));
		return;
	}
	const char *name = NULL;
	for (size_t i = namespace->lookup; i != NOBODY; i = observer->next_container[i]) {
		name = source_name(arena, observer->live->container_lookups[i].container);
		if (strcmp(name, former) == 0)
			return;
	}
	namespace_rename(namespace->ns, name);
}

/* A namespace is named after its container, which may have moved to another namespace. */
void containers_name(struct observer *observer)
{
	for (size_t i = 0; i < observer->before->n_containers; i++) {
		const struct container_lookup *lookup = &observer->before->container_lookups[i];
		struct namespace *namespace = namespace_before(observer, lookup);
		const char *former =
			namespace ? source_name(observer->live->arena, lookup->container) : NULL;
		if (namespace && strcmp(namespace->ns->name, former) == 0)
			namespace_name(observer, namespace, former);
	}
}

void container_locate(struct observer *observer, struct container_lookup *lookup,
		      const struct source_opened *opened)
{
	struct lookup_result lookup_result =
		source_locate(observer->live->arena, observer->lookups, lookup->container,
			      &observer->host, opened);
	lookup->state = lookup_result.state;
	lookup->engine_pending = lookup_result.engine_pending;
	lookup->absent = lookup_result.absent;
	lookup->code = lookup_result.code;
	lookup->reason = lookup_result.reason;
	lookup->hint = lookup_result.hint;
	lookup->id = lookup_result.id;
	lookup->note = lookup_result.note;
	if (lookup_result.state != CONTAINER_READY)
		return;
	struct namespace *namespace =
		namespace_of(observer, lookup_result.fd, &lookup_result.stat, lookup_result.name);
	namespace->ns->stale = true;
	namespace->ns->engine_links |= lookup_result.engine_links;
	if (lookup->container->source_kind == SOURCE_NETNS)
		namespace_source(namespace->ns, lookup->container->source);
	container_enter(observer, lookup, namespace);
}

static bool is_left_out(const struct observer *observer, const struct container *container)
{
	for (size_t i = 0; observer->only && i < observer->only->count; i++)
		if (observer->only->items[i] == container)
			return false;
	return observer->only != NULL;
}

/* Adds the container's lookup: the earlier one if it is still valid, else a new one. */
static const struct container_lookup *container_add(struct observer *observer,
						    const struct container *container,
						    const struct source_opened *opened)
{
	struct live *live = observer->live;
	const struct container_lookup *before =
		container_before(observer, live->n_containers, container);
	struct container_lookup *lookup =
		array_push(live->arena, live->container_lookups, live->n_containers);
	lookup->container = container;
	if (container_fresh(before))
		return before;
	if (is_left_out(observer, container)) {
		lookup->state = CONTAINER_PENDING;
		lookup->reason = "this run does not look it up";
		return NULL;
	}
	container_locate(observer, lookup, opened);
	return NULL;
}

/* The kernel reuses the inode of a destroyed namespace. If a container leads to an inode known from
 * before, the other containers of that inode are looked up again, which may lead to more such
 * inodes. */
static bool containers_mark_stale(struct observer *observer, const struct container_lookup **kept)
{
	bool stale_found = false;
	for (size_t i = 0; i < observer->live->n_containers; i++) {
		const struct namespace *namespace =
			kept[i] ? namespace_before(observer, kept[i]) : NULL;
		if (!namespace || !namespace->reopened)
			continue;
		kept[i] = NULL;
		container_locate(observer, &observer->live->container_lookups[i], NULL);
		stale_found = true;
	}
	return stale_found;
}

static bool has_link_of(const struct live_ns *ns, const char *set, const char *container)
{
	for (size_t i = 0; i < ns->n_links; i++) {
		const struct owner_tag *tag = &ns->links[i].tag;
		if (tag->role == ROLE_ATTACH && strcmp(tag->set, set) == 0 &&
		    strcmp(tag->container, container) == 0)
			return true;
	}
	return false;
}

/* NULL: no namespace has its links, or several have. Whoever controls a namespace can set any tag,
 * so another container's namespace and those of other users do not count. */
static struct namespace *namespace_attached(const struct observer *observer, const char *set,
					    const char *container)
{
	struct namespace *found = NULL;
	for (size_t i = 1; i < observer->n_namespaces; i++) {
		struct namespace *namespace = &observer->namespaces[i];
		if (namespace->lookup != NOBODY || namespace->ns->user_made ||
		    !has_link_of(namespace->ns, set, container))
			continue;
		if (found)
			return NULL;
		found = namespace;
	}
	return found;
}

static bool container_find_attached(struct observer *observer, const char *set,
				    struct container_lookup *lookup)
{
	struct namespace *namespace =
		lookup->container->source_kind == SOURCE_CNI && lookup->state == CONTAINER_PENDING
			? namespace_attached(observer, set, lookup->container->name)
			: NULL;
	if (!namespace)
		return false;
	lookup->state = CONTAINER_READY;
	lookup->reason = NULL;
	namespace->ns->stale = true;
	container_enter(observer, lookup, namespace);
	return true;
}

bool containers_find_attached(struct observer *observer, const struct desired *desired)
{
	bool found = false;
	size_t number = 0;
	for (size_t i = 0; i < desired->n_sets; i++)
		for (size_t j = 0; j < desired->sets[i].n_containers; j++, number++)
			found |=
				container_find_attached(observer, desired->sets[i].name,
							&observer->live->container_lookups[number]);
	return found;
}

static size_t count_containers(const struct desired *desired)
{
	size_t count = 0;
	for (size_t i = 0; i < desired->n_sets; i++)
		count += desired->sets[i].n_containers;
	return count;
}

struct opening {
	const struct container *container;
	const struct stat *host;
	struct source_opened opened;
};

static void opening_do(void *data, size_t number)
{
	struct opening *opening = (struct opening *)data + number;
	opening->opened = source_open(opening->container, opening->host);
}

/* Verifying a namespace takes about as long as reading it, so threads share this work, too. Returns
 * one result for each container. */
static struct opening *names_open(struct observer *observer, const struct desired *desired,
				  size_t count)
{
	struct opening *openings = arena_alloc(observer->scratch, count * sizeof(*openings));
	size_t number = 0;
	for (size_t i = 0; i < desired->n_sets; i++)
		for (size_t j = 0; j < desired->sets[i].n_containers; j++)
			openings[number++] =
				(struct opening){.container = &desired->sets[i].containers[j],
						 .host = &observer->host};
	if (count >= THREADS_FROM)
		pool_make_room(observer->namespaces[0].ns->handle->fd, count + DESCRIPTORS_SPARE);
	pool_run(count, count < THREADS_FROM ? 1 : pool_processors(), opening_do, openings);
	return openings;
}

void container_lookups_find(struct observer *observer, const struct desired *desired)
{
	struct live *live = observer->live;
	size_t number = 0, count = count_containers(desired);
	const struct opening *openings =
		observer->before || observer->only ? NULL : names_open(observer, desired, count);
	const struct container_lookup **kept =
		arena_alloc(observer->scratch, count * sizeof(*kept));
	observer->next_container = arena_alloc(observer->scratch, count * sizeof(size_t));
	for (size_t i = 0; i < desired->n_sets; i++)
		for (size_t j = 0; j < desired->sets[i].n_containers; j++, number++)
			kept[number] = container_add(observer, &desired->sets[i].containers[j],
						     openings ? &openings[number].opened : NULL);
	while (containers_mark_stale(observer, kept))
		;
	for (size_t i = 0; i < count; i++)
		if (kept[i])
			container_keep(observer, &live->container_lookups[i], kept[i]);
	init_hints(live);
}
