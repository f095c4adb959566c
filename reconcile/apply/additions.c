/* The stage of new links and of additions to changed ones. */
#include "reconcile/apply/internal.h"

#include "kernel/netns.h"
#include "lib/hashmap.h"
#include "lib/thread_pool.h"

/* The kernel creates links under one lock (RTNL), which is more than half of the time of an
 * attachment: a third thread would only wait for the lock. */
#define CREATION_THREADS 2

/* 300 took 1.05 times as long with two threads, 500 0.85 times. */
#define CREATIONS_MIN 400

static bool creates_attachment(const struct apply_context *context, const struct stage_item *item)
{
	return step_creates(context, item->step) && item->step->tag->role == ROLE_ATTACH;
}

/* The number of items from here on that create attachments in one namespace, whose messages are
 * sent together. In the host's namespace links are created one by one: later links are attached to
 * them. */
static size_t creates_count(const struct apply_context *context, const struct stage_item *items,
			    const struct stage_item *end)
{
	size_t count = 1;
	if (items->step->tag->role != ROLE_ATTACH)
		return count;
	while (items + count < end && creates_attachment(context, &items[count]) &&
	       items[count].step->desired->ns == items->step->desired->ns)
		count++;
	return count;
}

/* The items that create links in one namespace. */
struct creation {
	const struct stage_item *items;
	size_t count;
};

struct creations {
	struct apply_context *context;
	struct creation *all;
	size_t count;
};

static void creation_do(struct apply_context *context, const struct creation *creation)
{
	creates_do(context, creation->items, creation->count);
	steps_count(context, creation->count);
}

static void creation_run(void *data, size_t number)
{
	const struct creations *creations = data;
	creation_do(creations->context, &creations->all[number]);
}

/* The creations from here on, up to the first item that is none, or whose namespace has an earlier
 * one: threads share no socket. */
static struct creations creations_from(struct apply_context *context, const struct stage_item *item,
				       const struct stage_item *end, struct arena *arena)
{
	struct creations creations = {.context = context};
	struct index *namespaces = index_new(0);
	while (item < end && creates_attachment(context, item) &&
	       !index_put(namespaces, &item->step->desired->ns, sizeof(item->step->desired->ns),
			  item->step->desired->ns)) {
		const size_t count = creates_count(context, item, end);
		*array_push(arena, creations.all, creations.count) =
			(struct creation){.items = item, .count = count};
		item += count;
	}
	index_free(namespaces);
	return creations;
}

/* An item that is no such creation. */
static void addition_do(struct apply_context *context, const struct stage_item *item)
{
	if (step_creates(context, item->step)) {
		creation_do(context, &(struct creation){.items = item, .count = 1});
	} else if (step_selected(context, item->step)) {
		changes_do(context, item);
		steps_count(context, 1);
	}
}

/* The first one alone: it usually finds out whether this kernel creates links in other namespaces.
 * If not, all are created through the socket of the host's namespace, one by one. */
static void creations_do(const struct creations *creations)
{
	struct apply_context *context = creations->context;
	const struct creations rest = {
		.context = context, .all = creations->all + 1, .count = creations->count - 1};
	creation_do(context, &creations->all[0]);
	const bool together =
		rest.count >= CREATIONS_MIN && !context->create_then_move && !context->handed_over;
	if (together)
		pool_make_room(context->host->handle->fd, 2 * context->live->n_namespaces);
	pool_run(rest.count, together ? CREATION_THREADS : 1, creation_run,
		 (void *)(uintptr_t)&rest);
}

void additions_do(struct apply_context *context)
{
	struct arena *arena __attribute__((cleanup(arena_cleanup))) = arena_new();
	const struct stages *stages = &context->stages;
	const struct stage_item *item = stages->items + stages->from[STAGE_CREATE_CHANGE];
	const struct stage_item *end = stages->items + stages->from[STAGE_CREATE_CHANGE + 1];
	while (item < end) {
		const struct creations creations = creations_from(context, item, end, arena);
		if (creations.count)
			creations_do(&creations);
		for (size_t i = 0; i < creations.count; i++)
			item += creations.all[i].count;
		if (creations.count)
			continue;
		addition_do(context, item);
		item++;
	}
}
