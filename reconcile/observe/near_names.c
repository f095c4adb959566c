#include "reconcile/observe/near_names.h"

#include "lib/did_you_mean.h"
#include "reconcile/observe/engine_lookup_table.h"
#include "schema/words.h"

#include <string.h>

/* If more containers than this are absent, they are not misspelt. The limit bounds the comparisons
 * with each running container. */
#define ABSENT_MAX 100

/* A list of one engine's containers. */
struct listing {
	struct lookups *lookups;
	enum source_kind kind;
};

/* A service of Compose has no name of its own in the list. */
static bool is_absent(const struct lookup *lookup, enum source_kind kind)
{
	return lookup->kind == kind && lookup->result.arena &&
	       lookup->result.lookup_result.absent && !strchr(lookup->source, '/');
}

/* A container that the files name is not the one that was misspelt. */
static void suggest(struct lookup *lookup, const struct engine_member *members, size_t count)
{
	struct suggestion near = {.text = lookup->source};
	for (size_t i = 0; i < count; i++)
		if (!*lookup_place(lookup->lookups, lookup->kind, members[i].name))
			suggestion_try(&near, members[i].name);
	if (near.best)
		lookup->result.lookup_result.hint =
			arena_printf(lookup->result.arena, "did you mean `%s: %s`?",
				     source_kind_name(lookup->kind), near.best);
}

static void containers_listed(void *data, const struct engine_member *members, size_t count,
			      const struct error *error)
{
	const struct listing *listing = data;
	(void)error;
	for (size_t i = 0; i < LOOKUP_BUCKETS; i++)
		for (struct lookup *at = listing->lookups->buckets[i]; at; at = at->next)
			if (is_absent(at, listing->kind))
				suggest(at, members, count);
}

static size_t count_absent(const struct lookups *lookups, enum source_kind kind)
{
	size_t count = 0;
	for (size_t i = 0; i < LOOKUP_BUCKETS; i++)
		for (const struct lookup *at = lookups->buckets[i]; at; at = at->next)
			count += is_absent(at, kind);
	return count;
}

void near_names_find(struct lookups *lookups, int64_t until)
{
	static const enum source_kind kinds[] = {SOURCE_DOCKER, SOURCE_PODMAN};
	enum { N_KINDS = sizeof(kinds) / sizeof(kinds[0]) };
	struct arena *arena __attribute__((cleanup(arena_cleanup))) = arena_new();
	struct listing listings[N_KINDS];
	for (size_t i = 0; i < N_KINDS; i++) {
		listings[i] = (struct listing){.lookups = lookups, .kind = kinds[i]};
		const size_t absent = count_absent(lookups, kinds[i]);
		if (absent > 0 && absent <= ABSENT_MAX)
			engine_list_begin(lookups->engines, kinds[i], arena, containers_listed,
					  &listings[i]);
	}
	engines_wait(lookups->engines, until);
}
