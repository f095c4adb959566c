#include "lib/hashmap.h"

#include "lib/arena.h"
#include "lib/keyed_hash.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

struct slot {
	const void *key;
	void *value; /* NULL: an empty slot */
	uint32_t size;
	uint32_t hash;
};

struct index {
	struct arena *arena;  /* contains the index itself */
	struct arena *memory; /* contains the slots; replaced when they grow */
	struct slot *slots;
	size_t n_slots; /* a power of two */
	size_t used;
};

/* A file's author does not know the address of the index, which seeds the hash. */
static uint32_t hash_of(const struct index *index, const void *bytes, size_t size)
{
	return (uint32_t)keyed_hash((uint64_t)(uintptr_t)index, bytes, size);
}

struct index *index_new(size_t expected)
{
	struct arena *arena = arena_new();
	struct index *index = arena_alloc(arena, sizeof(*index));
	index->arena = arena;
	index->n_slots = 8;
	while (index->n_slots / 4 * 3 < expected)
		index->n_slots *= 2;
	index->memory = arena_new();
	index->slots = arena_alloc(index->memory, index->n_slots * sizeof(*index->slots));
	return index;
}

void index_free(struct index *index)
{
	if (!index)
		return;
	arena_free(index->memory);
	arena_free(index->arena);
}

void index_cleanup(struct index **index)
{
	index_free(*index);
}

/* The slot that contains the key, or the empty one for it. */
static struct slot *find(const struct index *index, const void *key, size_t size, uint32_t hash)
{
	for (size_t i = hash;; i++) {
		struct slot *slot = &index->slots[i & (index->n_slots - 1)];
		if (!slot->value ||
		    (slot->hash == hash && slot->size == size && memcmp(slot->key, key, size) == 0))
			return slot;
	}
}

static void grow(struct index *index)
{
	struct arena *old_memory = index->memory;
	struct slot *old = index->slots;
	size_t n_old = index->n_slots;
	index->n_slots *= 2;
	index->memory = arena_new();
	index->slots = arena_alloc(index->memory, index->n_slots * sizeof(*index->slots));
	for (size_t i = 0; i < n_old; i++)
		if (old[i].value)
			*find(index, old[i].key, old[i].size, old[i].hash) = old[i];
	arena_free(old_memory);
}

void *index_put(struct index *index, const void *key, size_t size, void *value)
{
	uint32_t hash = hash_of(index, key, size);
	struct slot *slot = find(index, key, size, hash);
	if (slot->value)
		return slot->value;
	if (index->used >= index->n_slots / 4 * 3) {
		grow(index);
		slot = find(index, key, size, hash);
	}
	*slot = (struct slot){.key = key, .value = value, .size = (uint32_t)size, .hash = hash};
	index->used++;
	return NULL;
}

void *index_get(const struct index *index, const void *key, size_t size)
{
	return find(index, key, size, hash_of(index, key, size))->value;
}

void *index_put_text(struct index *index, const char *key, void *value)
{
	return index_put(index, key, strlen(key), value);
}

void *index_get_text(const struct index *index, const char *key)
{
	return index_get(index, key, strlen(key));
}
