#include "reconcile/plan/address_set.h"

#include "lib/keyed_hash.h"

struct entry {
	uint32_t domain;
	struct ip ip;
	const void *owner; /* NULL: an empty slot */
};

/* Open addressing; `size` is a power of two, at least twice the count. */
struct address_set {
	struct arena *arena;
	struct entry *entries;
	size_t size, count;
};

struct address_set *address_set_new(struct arena *arena, size_t expected)
{
	struct address_set *in_use = arena_alloc(arena, sizeof(*in_use));
	*in_use = (struct address_set){.arena = arena, .size = 64};
	while (in_use->size < expected * 2)
		in_use->size *= 2;
	in_use->entries = arena_alloc(arena, in_use->size * sizeof(*in_use->entries));
	return in_use;
}

static uint64_t hash(const struct address_set *in_use, size_t domain, const struct ip *ip)
{
	return keyed_hash((uint64_t)(uintptr_t)in_use ^ domain << 8 ^ ip->family, ip->bytes,
			  sizeof(ip->bytes));
}

static struct entry *entry_find(const struct address_set *in_use, size_t domain,
				const struct ip *ip)
{
	for (size_t i = hash(in_use, domain, ip);; i++) {
		struct entry *entry = &in_use->entries[i & (in_use->size - 1)];
		if (!entry->owner || (entry->domain == domain && ip_equal(&entry->ip, ip)))
			return entry;
	}
}

static void grow(struct address_set *in_use)
{
	struct entry *old = in_use->entries;
	size_t size = in_use->size;
	in_use->size *= 2;
	in_use->entries = arena_alloc(in_use->arena, in_use->size * sizeof(*in_use->entries));
	for (size_t i = 0; i < size; i++)
		if (old[i].owner)
			*entry_find(in_use, old[i].domain, &old[i].ip) = old[i];
}

const void *address_set_holder(const struct address_set *in_use, size_t domain, const struct ip *ip)
{
	return in_use->count ? entry_find(in_use, domain, ip)->owner : NULL;
}

const void *address_set_add(struct address_set *in_use, size_t domain, const struct ip *ip,
			    const void *owner)
{
	struct entry *entry = entry_find(in_use, domain, ip);
	if (entry->owner)
		return entry->owner;
	*entry = (struct entry){.domain = (uint32_t)domain, .ip = *ip, .owner = owner};
	if (++in_use->count * 2 > in_use->size)
		grow(in_use);
	return NULL;
}
