#include "reconcile/plan/address_set.h"

#include "lib/keyed_hash.h"

struct entry {
	uint32_t domain;
	struct ip ip;
	const void *owner;
};

/* Open addressing: `size`, a power of two, is at least twice the count. The slots are small, and
 * the entries are dense. */
struct address_set {
	struct arena *arena;
	uint32_t *slots; /* 1 + the number of an entry; 0: empty */
	size_t size;
	struct entry *entries;
	size_t count;
};

struct address_set *address_set_new(struct arena *arena, size_t expected)
{
	struct address_set *in_use = arena_alloc(arena, sizeof(*in_use));
	*in_use = (struct address_set){.arena = arena, .size = 64};
	while (in_use->size < expected * 2)
		in_use->size *= 2;
	in_use->slots = arena_alloc(arena, in_use->size * sizeof(*in_use->slots));
	return in_use;
}

static uint64_t hash(const struct address_set *in_use, size_t domain, const struct ip *ip)
{
	return keyed_hash((uint64_t)(uintptr_t)in_use ^ domain << 8 ^ ip->family, ip->bytes,
			  sizeof(ip->bytes));
}

/* The slot that leads to the address, or the empty one for it. */
static uint32_t *slot_find(const struct address_set *in_use, size_t domain, const struct ip *ip)
{
	for (size_t i = hash(in_use, domain, ip);; i++) {
		uint32_t *slot = &in_use->slots[i & (in_use->size - 1)];
		const struct entry *entry = *slot ? &in_use->entries[*slot - 1] : NULL;
		if (!entry || (entry->domain == domain && ip_equal(&entry->ip, ip)))
			return slot;
	}
}

static void grow(struct address_set *in_use)
{
	in_use->size *= 2;
	in_use->slots = arena_alloc(in_use->arena, in_use->size * sizeof(*in_use->slots));
	for (size_t i = 0; i < in_use->count; i++) {
		const struct entry *entry = &in_use->entries[i];
		*slot_find(in_use, entry->domain, &entry->ip) = (uint32_t)i + 1;
	}
}

const void *address_set_holder(const struct address_set *in_use, size_t domain, const struct ip *ip)
{
	const uint32_t slot = in_use->count ? *slot_find(in_use, domain, ip) : 0;
	return slot ? in_use->entries[slot - 1].owner : NULL;
}

const void *address_set_add(struct address_set *in_use, size_t domain, const struct ip *ip,
			    const void *owner)
{
	uint32_t *slot = slot_find(in_use, domain, ip);
	if (*slot)
		return in_use->entries[*slot - 1].owner;
	*array_push(in_use->arena, in_use->entries, in_use->count) =
		(struct entry){.domain = (uint32_t)domain, .ip = *ip, .owner = owner};
	*slot = (uint32_t)in_use->count;
	if (in_use->count * 2 > in_use->size)
		grow(in_use);
	return NULL;
}
