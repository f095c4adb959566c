#include "cmd/watch/retry_keys.h"

#include "lib/hashmap.h"
#include "schema/words.h"

#include <stdio.h>

struct retry_keys {
	struct arena *arena;
	struct index *index;
};

const char *step_key(const struct step *step)
{
	return step->desired ? step->desired->alias : step->current->alias;
}

/* The key contains the namespace: a container can give its link the owner tag of another one, which
 * must not delay the other. */
const char *step_retry_key(const struct step *step, char key[STEP_RETRY_KEY_SIZE])
{
	const struct live_ns *ns =
		step->desired && step->desired->ns ? step->desired->ns : step->ns;
	snprintf(key, STEP_RETRY_KEY_SIZE, "%s in %ju", step_key(step),
		 ns ? (uintmax_t)ns->inode : 0);
	return key;
}

const char *source_key(enum source_kind kind, const char *source, char key[SOURCE_KEY_SIZE])
{
	snprintf(key, SOURCE_KEY_SIZE, "%s %s", source_kind_name(kind), source);
	return key;
}

const char *container_key(const struct container_lookup *lookup, char key[SOURCE_KEY_SIZE])
{
	return source_key(lookup->container->source_kind, lookup->container->source, key);
}

bool source_is_engines(const struct container_lookup *lookup)
{
	return lookup->container->source_kind == SOURCE_DOCKER ||
	       lookup->container->source_kind == SOURCE_PODMAN;
}

const char *namespace_key(const struct live_ns *ns, char key[SOURCE_KEY_SIZE])
{
	snprintf(key, SOURCE_KEY_SIZE, "nsid %ju", (uintmax_t)ns->inode);
	return key;
}

bool namespace_unmonitored(const struct live_ns *ns)
{
	return !ns->host && ns->details && ns->nsid < 0;
}

static void key_add(struct retry_keys *keys, const char *key)
{
	index_put_text(keys->index, arena_strdup(keys->arena, key), keys);
}

static void containers_add(struct retry_keys *keys, const struct live *live)
{
	char key[SOURCE_KEY_SIZE];
	for (size_t i = 0; i < live->n_containers; i++)
		if (live->container_lookups[i].state == CONTAINER_FAILED ||
		    source_is_engines(&live->container_lookups[i]))
			key_add(keys, container_key(&live->container_lookups[i], key));
}

struct retry_keys *retry_keys_find(const struct plan *plan, const struct live *live)
{
	char key[STEP_RETRY_KEY_SIZE], source[SOURCE_KEY_SIZE];
	struct arena *arena = arena_new();
	struct retry_keys *keys = arena_alloc(arena, sizeof(*keys));
	*keys = (struct retry_keys){.arena = arena, .index = index_new(plan->n_steps)};
	for (size_t i = 0; i < plan->n_steps; i++)
		if (step_acts(&plan->steps[i]))
			key_add(keys, step_retry_key(&plan->steps[i], key));
	containers_add(keys, live);
	for (size_t i = 0; i < live->n_namespaces; i++)
		if (namespace_unmonitored(live->namespaces[i]))
			key_add(keys, namespace_key(live->namespaces[i], source));
	return keys;
}

bool retry_keys_have(const struct retry_keys *keys, const char *key)
{
	return index_get_text(keys->index, key);
}

void retry_keys_free(struct retry_keys *keys)
{
	index_free(keys->index);
	arena_free(keys->arena);
}
