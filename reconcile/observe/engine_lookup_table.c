#include "reconcile/observe/engine_lookup_table.h"

#include "kernel/netns.h"
#include "lib/hash.h"
#include "lib/memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int lookup_namespace_open(const struct lookups *lookups, int process, struct stat *ret_stat,
			  struct error *error)
{
	return netns_open_at(process, "ns/net", 0, &lookups->host, ret_stat, error);
}

/* Whether the found process still runs in the same namespace. */
bool lookup_result_is_valid(const struct lookup *lookup)
{
	const struct result *result = &lookup->result;
	struct error ignored;
	struct stat stat;
	if (!result->arena || result->lookup_result.state != CONTAINER_READY)
		return false;
	int fd = lookup_namespace_open(lookup->lookups, result->process, &stat, &ignored);
	if (fd >= 0)
		close(fd);
	return fd >= 0 && netns_same(&stat, &result->lookup_result.stat);
}

void lookup_result_clear(struct result *result)
{
	if (result->arena && result->process >= 0)
		close(result->process);
	if (result->arena)
		arena_free(result->arena);
	*result = (struct result){.process = -1};
}

void lookup_process_close(struct engine_query *query)
{
	if (query->process >= 0)
		close(query->process);
	query->process = -1;
}

void lookup_query_end(struct lookup *lookup)
{
	struct engine_query *query = &lookup->query;
	if (!query->arena)
		return;
	engine_inspect_end(query->inspection);
	for (size_t i = 0; i < query->n_candidates; i++)
		engine_inspect_end(query->candidates[i].inspection);
	lookup_process_close(query);
	arena_free(query->arena);
	query->arena = NULL;
	lookup->lookups->pending--;
}

static void holders_clear(struct lookup *lookup)
{
	for (size_t i = 0; i < lookup->n_holders; i++)
		free(lookup->holders[i]);
	free(lookup->holders);
	lookup->holders = NULL;
	lookup->n_holders = 0;
}

static void holder_add(struct lookup *lookup, const char *set, const char *container)
{
	lookup->holders = memory_or_die(
		reallocarray(lookup->holders, lookup->n_holders + 1, sizeof(*lookup->holders)));
	char **holder = &lookup->holders[lookup->n_holders++];
	if (asprintf(holder, "%s/%s", set, container) < 0)
		abort();
}

static void lookup_free(struct lookup *lookup)
{
	holders_clear(lookup);
	lookup_query_end(lookup);
	lookup_result_clear(&lookup->result);
	lookup->lookups->count--;
	free(lookup->source);
	free(lookup);
}

bool lookup_unneeded(struct lookup *lookup)
{
	bool needed = lookup->needed;
	lookup->needed = false;
	return !needed;
}

void lookups_drop(struct lookups *lookups, bool (*which)(struct lookup *lookup))
{
	for (size_t i = 0; i < LOOKUP_BUCKETS; i++)
		for (struct lookup **at = &lookups->buckets[i], *lookup; (lookup = *at);)
			if (which(lookup)) {
				*at = lookup->next;
				lookup_free(lookup);
			} else {
				at = &lookup->next;
			}
}

bool lookup_possible(enum source_kind kind)
{
	return kind == SOURCE_DOCKER || kind == SOURCE_PODMAN;
}

struct lookup **lookup_place(struct lookups *lookups, enum source_kind kind, const char *source)
{
	struct lookup **at = &lookups->buckets[hash_text(HASH_START, source) % LOOKUP_BUCKETS];
	while (*at && ((*at)->kind != kind || strcmp((*at)->source, source) != 0))
		at = &(*at)->next;
	return at;
}

struct lookup *lookup_of(struct lookups *lookups, enum source_kind kind, const char *source)
{
	struct lookup **at = lookup_place(lookups, kind, source);
	struct lookup *lookup = *at;
	if (lookup)
		return lookup;
	lookup = *at = memory_new(1, sizeof(*lookup));
	*lookup = (struct lookup){.lookups = lookups,
				  .kind = kind,
				  .source = memory_or_die(strdup(source)),
				  .result.process = -1,
				  .query.process = -1};
	lookups->count++;
	return lookup;
}

static void lookup_update(struct lookup *lookup, const char *set, const struct container *container)
{
	if (!lookup->needed)
		holders_clear(lookup);
	lookup->needed = true;
	if (strchr(container->source, '/'))
		holder_add(lookup, set, container->name);
}

void lookups_update(struct lookups *lookups, const struct desired *desired)
{
	for (size_t s = 0; s < desired->n_sets; s++)
		for (size_t i = 0; i < desired->sets[s].n_containers; i++) {
			const struct container *container = &desired->sets[s].containers[i];
			if (lookup_possible(container->source_kind))
				lookup_update(lookup_of(lookups, container->source_kind,
							container->source),
					      desired->sets[s].name, container);
		}
}
