#include "reconcile/observe/engine_lookup.h"

#include "container_engine/http.h"
#include "kernel/netns.h"
#include "kernel/process.h"
#include "lib/cleanup.h"
#include "lib/clock.h"
#include "lib/memory.h"
#include "lib/thread_pool.h"
#include "reconcile/observe/engine_lookup_table.h"
#include "reconcile/observe/engine_query.h"
#include "reconcile/observe/near_names.h"
#include "schema/words.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

/* The time budget of lookups_wait for each container, in milliseconds, in addition to
 * engine_patience. */
#define CONTAINER_MS 100

/* The limit for commands that must not wait for an engine. */
#define SHORT_MS 500

struct lookups *lookups_new(const struct engine_loop *loop, lookup_answered *answered, void *data)
{
	struct lookups *lookups = memory_new(1, sizeof(*lookups));
	struct error ignored;
	pool_raise_limit();
	lookups->engines = engines_new(loop);
	lookups->answered = answered;
	lookups->data = data;
	cleanup_close int fd = netns_open_own(&lookups->host, &ignored);
	(void)fd;
	return lookups;
}

struct engines *lookups_engines(struct lookups *lookups)
{
	return lookups->engines;
}

static bool everyone(struct lookup *lookup)
{
	(void)lookup;
	return true;
}

void lookups_free(struct lookups *lookups)
{
	if (!lookups)
		return;
	lookups_drop(lookups, everyone);
	engines_free(lookups->engines);
	free(lookups);
}

void lookups_keep(struct lookups *lookups, const struct desired *desired)
{
	lookups_update(lookups, desired);
	lookups_drop(lookups, lookup_unneeded);
}

void lookups_visit(struct lookups *lookups, enum source_kind kind, lookup_visit *visit, void *data)
{
	for (size_t i = 0; i < LOOKUP_BUCKETS; i++)
		for (struct lookup *at = lookups->buckets[i]; at; at = at->next)
			if (at->kind == kind)
				visit(data, at->source,
				      at->result.arena ? at->result.lookup_result.id : NULL);
}

static struct lookup_result unanswered(enum source_kind kind, struct arena *arena)
{
	struct lookup_result lookup_result = lookup_result_pending(
		arena_printf(arena, "%s has not answered yet", source_kind_name(kind)));
	lookup_result.engine_pending = true;
	return lookup_result;
}

struct lookup_result lookups_locate(struct lookups *lookups, enum source_kind kind,
				    const char *source, const struct stat *host,
				    struct arena *arena)
{
	const struct lookup *lookup = *lookup_place(lookups, kind, source);
	struct error error;
	if (!lookup || !lookup->result.arena)
		return unanswered(kind, arena);
	struct lookup_result lookup_result =
		lookup_result_copy(&lookup->result.lookup_result, arena);
	if (lookup_result.state != CONTAINER_READY)
		return lookup_result;
	struct stat stat;
	lookup_result.fd = netns_open_at(lookup->result.process, "ns/net", 0, host, &stat, &error);
	if (lookup_result.fd == -ENOENT || lookup_result.fd == -ESRCH)
		return lookup_not_running(arena, source, lookup_result.id);
	if (lookup_result.fd < 0)
		process_denied(&error);
	if (lookup_result.fd < 0)
		return lookup_result_failed(arena, &error);
	if (netns_same(&stat, &lookup_result.stat))
		return lookup_result;
	close(lookup_result.fd);
	lookups_query(lookups, kind, source, LOOKUP_STALE);
	return unanswered(kind, arena);
}

static bool lookup_outdated(const struct lookup *lookup)
{
	return lookup->result.arena && lookup->result.lookup_result.state == CONTAINER_READY &&
	       !lookup_result_is_valid(lookup);
}

bool lookups_outdated(const struct lookups *lookups)
{
	for (size_t i = 0; i < LOOKUP_BUCKETS; i++)
		for (const struct lookup *at = lookups->buckets[i]; at; at = at->next)
			if (lookup_outdated(at))
				return true;
	return false;
}

static void lookup_fail(struct lookup *lookup, const struct error *error)
{
	struct result *result = &lookup->result;
	const bool silent = result->arena && result->lookup_result.code == CODE_ENGINE_SILENT;
	if (lookup->query.arena || (result->arena && !silent))
		return;
	lookup_result_clear(result);
	result->arena = arena_new();
	result->lookup_result = lookup_engine_failed(result->arena, error);
}

void lookups_fail(struct lookups *lookups, const struct desired *desired, enum source_kind kind,
		  const struct error *error)
{
	for (size_t s = 0; s < desired->n_sets; s++)
		for (size_t i = 0; i < desired->sets[s].n_containers; i++)
			if (desired->sets[s].containers[i].source_kind == kind)
				lookup_fail(lookup_of(lookups, kind,
						      desired->sets[s].containers[i].source),
					    error);
}

int lookups_set(struct lookups *lookups, enum source_kind kind, const char *source,
		const struct known_container *known, struct error *error)
{
	struct stat stat;
	cleanup_close int folder = process_open(known->pid, error);
	if (folder < 0)
		return folder;
	cleanup_close int fd = lookup_namespace_open(lookups, folder, &stat, error);
	if (fd < 0 || netns_same(&stat, &lookups->host))
		return fd < 0 ? fd : 0;
	struct result *result = &lookup_of(lookups, kind, source)->result;
	lookup_result_clear(result);
	result->arena = arena_new();
	result->process = fd_steal(&folder);
	result->lookup_result = (struct lookup_result){
		.state = CONTAINER_READY,
		.fd = -1,
		.stat = stat,
		.name = arena_printf(result->arena, "%s %s", source_kind_name(kind), source),
		.id = known->id ? arena_strdup(result->arena, known->id) : NULL,
		.engine_links = known->engine_links,
	};
	return 1;
}

static bool is_due(const struct lookup *lookup, enum lookup_urgency urgency)
{
	const bool pending = lookup->query.arena != NULL;
	switch (urgency) {
	case LOOKUP_NEW:
		return !pending && !lookup->result.arena;
	case LOOKUP_UNLESS_READY:
		return !pending && !lookup_result_is_valid(lookup);
	case LOOKUP_OUTDATED:
		return !pending && lookup_outdated(lookup);
	case LOOKUP_IDLE:
		return !pending;
	case LOOKUP_KEEP:
	case LOOKUP_STALE:
		break;
	}
	return true;
}

void lookups_query(struct lookups *lookups, enum source_kind kind, const char *source,
		   enum lookup_urgency urgency)
{
	if (!lookup_possible(kind))
		return;
	struct lookup *lookup = lookup_of(lookups, kind, source);
	if (!is_due(lookup, urgency))
		return;
	lookup->drop_unanswered |= urgency == LOOKUP_STALE;
	if (lookup->query.arena)
		lookup->repeat = true;
	else
		lookup_query_begin(lookup);
}

void lookups_query_all(struct lookups *lookups, const struct desired *desired,
		       enum source_kind kind, enum lookup_urgency urgency)
{
	lookups_update(lookups, desired);
	for (size_t i = 0; i < LOOKUP_BUCKETS; i++)
		for (struct lookup *at = lookups->buckets[i]; at; at = at->next)
			if (!lookup_unneeded(at) && at->kind == kind)
				lookups_query(lookups, kind, at->source, urgency);
}

bool lookups_pending(const struct lookups *lookups)
{
	return lookups->pending > 0;
}

void lookups_wait(struct lookups *lookups)
{
	const int64_t now = clock_milliseconds();
	if (!lookups->pending)
		return;
	if (!lookups->until)
		lookups->until = now + engine_patience + (int64_t)lookups->count * CONTAINER_MS;
	const int64_t until = lookups->until > now + SHORT_MS ? lookups->until : now + SHORT_MS;
	engines_wait(lookups->engines, until);
	near_names_find(lookups, until);
}

void lookups_run(struct lookups *lookups)
{
	const int64_t until = clock_milliseconds() + SHORT_MS;
	if (!lookups->pending)
		return;
	engines_run(lookups->engines, until);
	if (!lookups->pending)
		near_names_find(lookups, until);
}
