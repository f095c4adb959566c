#include "reconcile/observe/init_hints.h"

#include "lib/did_you_mean.h"
#include "reconcile/observe/init_finders.h"
#include "schema/words.h"

#include <string.h>

/* As in near_names.c. */
#define ABSENT_MAX 100

/* The search for one kind's containers that do not run. */
struct search {
	struct live *live;
	enum source_kind kind;
	struct suggestion *near; /* by the lookup's index */
};

static bool is_absent(const struct container_lookup *lookup, enum source_kind kind)
{
	return lookup->container->source_kind == kind && lookup->absent && !lookup->hint;
}

static bool is_declared(const struct search *search, const char *source)
{
	for (size_t i = 0; i < search->live->n_containers; i++) {
		const struct container *container = search->live->container_lookups[i].container;
		if (container->source_kind == search->kind &&
		    strcmp(container->source, source) == 0)
			return true;
	}
	return false;
}

static void running_visit(void *data, const char *source)
{
	const struct search *search = data;
	if (is_declared(search, source))
		return;
	const char *copy = arena_strdup(search->live->arena, source);
	for (size_t i = 0; i < search->live->n_containers; i++)
		if (is_absent(&search->live->container_lookups[i], search->kind))
			suggestion_try(&search->near[i], copy);
}

static const char *hint_of(struct arena *arena, const struct container *container,
			   const struct suggestion *near)
{
	if (near->best)
		return arena_printf(arena, "did you mean `%s: %s`?",
				    source_kind_name(container->source_kind), near->best);
	return arena_printf(arena, "start it with `%s`",
			    init_finder(container->source_kind)->start(arena, container->source));
}

static void kind_hints(struct live *live, enum source_kind kind)
{
	struct search search = {.live = live, .kind = kind};
	size_t absent = 0;
	for (size_t i = 0; i < live->n_containers; i++)
		absent += is_absent(&live->container_lookups[i], kind);
	if (!absent)
		return;
	search.near = arena_alloc(live->arena, live->n_containers * sizeof(*search.near));
	for (size_t i = 0; i < live->n_containers; i++)
		search.near[i].text = live->container_lookups[i].container->source;
	if (absent <= ABSENT_MAX)
		init_finder(kind)->list(live->arena, running_visit, &search);
	for (size_t i = 0; i < live->n_containers; i++) {
		struct container_lookup *lookup = &live->container_lookups[i];
		if (is_absent(lookup, kind))
			lookup->hint = hint_of(live->arena, lookup->container, &search.near[i]);
	}
}

void init_hints(struct live *live)
{
	for (enum source_kind kind = 0; kind < N_SOURCE_KINDS; kind++)
		if (init_finder(kind))
			kind_hints(live, kind);
}
