#include "reconcile/plan/address_set.h"

#include <string.h>

/* 2^64 over the golden ratio. */
#define HASH_FACTOR 0x9e3779b97f4a7c15ULL

struct entry {
	uint32_t domain;
	struct ip ip;
	const void *owner; /* NULL: an empty slot */
};

/* Open addressing; `size` is a power of two, at least twice the count. */
struct taken {
	struct arena *arena;
	struct entry *entries;
	size_t size, count;
};

struct taken *taken_new(struct arena *arena, size_t expected)
{
	struct taken *taken = arena_alloc(arena, sizeof(*taken));
	*taken = (struct taken){.arena = arena, .size = 64};
	while (taken->size < expected * 2)
		taken->size *= 2;
	taken->entries = arena_alloc(arena, taken->size * sizeof(*taken->entries));
	return taken;
}

/* The upper bits of a product depend on all below. */
static size_t hash(size_t domain, const struct ip *ip)
{
	uint64_t words[2];
	memcpy(words, ip->bytes, sizeof(words));
	const uint64_t mixed = (words[0] ^ (domain << 8 | ip->family)) * HASH_FACTOR;
	return ((mixed ^ mixed >> 32 ^ words[1]) * HASH_FACTOR) >> 32;
}

static struct entry *entry_find(const struct taken *taken, size_t domain, const struct ip *ip)
{
	for (size_t i = hash(domain, ip);; i++) {
		struct entry *entry = &taken->entries[i & (taken->size - 1)];
		if (!entry->owner || (entry->domain == domain && ip_equal(&entry->ip, ip)))
			return entry;
	}
}

static void grow(struct taken *taken)
{
	struct entry *old = taken->entries;
	size_t size = taken->size;
	taken->size *= 2;
	taken->entries = arena_alloc(taken->arena, taken->size * sizeof(*taken->entries));
	for (size_t i = 0; i < size; i++)
		if (old[i].owner)
			*entry_find(taken, old[i].domain, &old[i].ip) = old[i];
}

const void *taken_by(const struct taken *taken, size_t domain, const struct ip *ip)
{
	return taken->count ? entry_find(taken, domain, ip)->owner : NULL;
}

const void *taken_add(struct taken *taken, size_t domain, const struct ip *ip, const void *owner)
{
	struct entry *entry = entry_find(taken, domain, ip);
	if (entry->owner)
		return entry->owner;
	*entry = (struct entry){.domain = (uint32_t)domain, .ip = *ip, .owner = owner};
	if (++taken->count * 2 > taken->size)
		grow(taken);
	return NULL;
}
