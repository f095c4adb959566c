#include "lib/thread_pool.h"
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

static int target_compare(const void *a, const void *b)
{
	return source_compare((*(const struct container_lookup *const *)a)->container,
			      (*(const struct container_lookup *const *)b)->container);
}

static int target_find(const void *key, const void *target)
{
	return source_compare(key, (*(const struct container_lookup *const *)target)->container);
}

static void targets_sort(struct observer *observer)
{
	const struct live *before = observer->before;
	observer->sorted =
		arena_alloc(observer->live->arena, before->n_targets * sizeof(*observer->sorted));
	for (size_t i = 0; i < before->n_targets; i++)
		observer->sorted[i] = &before->targets[i];
	if (before->n_targets)
		qsort(observer->sorted, before->n_targets, sizeof(*observer->sorted),
		      target_compare);
}

/* What the look before found of the same source, most often under the same number. */
static const struct container_lookup *target_before(struct observer *observer, size_t number,
						    const struct container *container)
{
	const struct live *before = observer->before;
	if (!before || !before->n_targets)
		return NULL;
	if (number < before->n_targets &&
	    source_compare(before->targets[number].container, container) == 0)
		return &before->targets[number];
	if (!observer->sorted)
		targets_sort(observer);
	const struct container_lookup **found =
		bsearch(container, observer->sorted, before->n_targets, sizeof(*observer->sorted),
			target_find);
	return found ? *found : NULL;
}

/* Whether what was found before still holds, and needs no open handle. */
static bool target_fresh(const struct container_lookup *target)
{
	return target && !target->stale &&
	       !(target->ns && target->ns->stale && !target->ns->handle);
}

static const char *copied(struct observer *observer, const char *text)
{
	return text ? arena_strdup(observer->live->arena, text) : NULL;
}

static void target_enter(struct observer *observer, struct container_lookup *target,
			 struct namespace *namespace)
{
	size_t number = (size_t)(target - observer->live->targets);
	target->ns = namespace->ns;
	observer->next_target[number] = namespace->target;
	namespace->target = number;
}

static struct namespace *namespace_before(const struct observer *observer,
					  const struct container_lookup *before)
{
	return before->ns ? &observer->namespaces[*namespace_slot(observer, before->ns->inode) - 1]
			  : NULL;
}

void target_keep(struct observer *observer, struct container_lookup *target,
		 const struct container_lookup *before)
{
	target->state = before->state;
	target->asked = before->asked;
	target->code = before->code;
	target->reason = copied(observer, before->reason);
	target->hint = copied(observer, before->hint);
	target->id = copied(observer, before->id);
	target->note = copied(observer, before->note);
	struct namespace *namespace = namespace_before(observer, before);
	if (namespace)
		target_enter(observer, target, namespace);
}

/* Another container's name, where one leads to it; else what it was. */
static void namespace_name(struct observer *observer, struct namespace *namespace,
			   const char *former)
{
	struct arena *arena = observer->live->arena;
	namespace->ns->former = namespace->target == NOBODY;
	if (namespace->ns->former) {
		namespace_rename(namespace->ns,
				 arena_printf(arena, "%s" LIVE_FORMER_SUFFIX, former));
		return;
	}
	const char *name = NULL;
	for (size_t i = namespace->target; i != NOBODY; i = observer->next_target[i]) {
		name = source_name(arena, observer->live->targets[i].container);
		if (strcmp(name, former) == 0)
			return;
	}
	namespace_rename(namespace->ns, name);
}

/* A namespace is called after a container that led to it, which may be elsewhere by now. */
void targets_name(struct observer *observer)
{
	for (size_t i = 0; i < observer->before->n_targets; i++) {
		const struct container_lookup *target = &observer->before->targets[i];
		struct namespace *namespace = namespace_before(observer, target);
		const char *former =
			namespace ? source_name(observer->live->arena, target->container) : NULL;
		if (namespace && strcmp(namespace->ns->name, former) == 0)
			namespace_name(observer, namespace, former);
	}
}

void target_locate(struct observer *observer, struct container_lookup *target,
		   const struct source_opened *opened)
{
	struct lookup_result lookup_result =
		source_locate(observer->live->arena, observer->lookups, target->container,
			      &observer->host, opened);
	target->state = lookup_result.state;
	target->asked = lookup_result.asked;
	target->code = lookup_result.code;
	target->reason = lookup_result.reason;
	target->hint = lookup_result.hint;
	target->id = lookup_result.id;
	target->note = lookup_result.note;
	if (lookup_result.state != TARGET_READY)
		return;
	struct namespace *namespace =
		namespace_of(observer, lookup_result.fd, &lookup_result.stat, lookup_result.name);
	namespace->ns->stale = true;
	target_enter(observer, target, namespace);
}

/* Adds the target, and locates it if what was found before does not hold any more; else gives that.
 */
static const struct container_lookup *target_add(struct observer *observer,
						 const struct container *container,
						 const struct source_opened *opened)
{
	struct live *live = observer->live;
	const struct container_lookup *before = target_before(observer, live->n_targets, container);
	struct container_lookup *target = array_push(live->arena, live->targets, live->n_targets);
	target->container = container;
	if (target_fresh(before))
		return before;
	target_locate(observer, target, opened);
	return NULL;
}

/* The kernel gives a dead namespace's inode to the next new one. So where one target has led to an
 * inode known from before, the others that were there are located again, which may lead to more. */
static bool containers_mark_stale(struct observer *observer, const struct container_lookup **kept)
{
	bool stale_asked = false;
	for (size_t i = 0; i < observer->live->n_targets; i++) {
		const struct namespace *namespace =
			kept[i] ? namespace_before(observer, kept[i]) : NULL;
		if (!namespace || !namespace->reopened)
			continue;
		kept[i] = NULL;
		target_locate(observer, &observer->live->targets[i], NULL);
		stale_asked = true;
	}
	return stale_asked;
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

/* To prove what a name leads to takes about as long as to read it, so that threads share that, too.
 * Gives one for each container. */
static struct opening *names_open(struct observer *observer, const struct desired *desired,
				  size_t count)
{
	struct opening *openings = arena_alloc(observer->live->arena, count * sizeof(*openings));
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

void targets_find(struct observer *observer, const struct desired *desired)
{
	struct live *live = observer->live;
	size_t number = 0, count = count_containers(desired);
	const struct opening *openings =
		observer->before ? NULL : names_open(observer, desired, count);
	const struct container_lookup **kept = arena_alloc(live->arena, count * sizeof(*kept));
	observer->next_target = arena_alloc(live->arena, count * sizeof(size_t));
	for (size_t i = 0; i < desired->n_sets; i++)
		for (size_t j = 0; j < desired->sets[i].n_containers; j++, number++)
			kept[number] = target_add(observer, &desired->sets[i].containers[j],
						  openings ? &openings[number].opened : NULL);
	while (containers_mark_stale(observer, kept))
		;
	for (size_t i = 0; i < count; i++)
		if (kept[i])
			target_keep(observer, &live->targets[i], kept[i]);
}
