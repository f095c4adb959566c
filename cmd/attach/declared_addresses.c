#include "cmd/attach/declared_addresses.h"

/* Adds the attachment's addresses in the prefix. False: one of its network may be chosen. */
static bool declared_add(const struct attachment *attachment, const struct prefix *prefix,
			 struct arena *arena, struct other_addresses *others)
{
	bool chosen = !attachment->ipv4.family && !attachment->has_addresses;
	if (prefix_contains(prefix, &attachment->ipv4))
		*array_push(arena, others->items, others->count) = attachment->ipv4;
	for (size_t i = 0; i < attachment->n_addresses; i++) {
		const struct address_entry *entry = &attachment->addresses[i];
		chosen |= !entry->fixed;
		if (entry->fixed && prefix_contains(prefix, &entry->within.ip))
			*array_push(arena, others->items, others->count) = entry->within.ip;
	}
	return !chosen || !network_subnet_of(attachment->network, &prefix->ip);
}

bool declared_addresses_find(const struct desired *desired, const struct container *guest,
			     const struct prefix *prefix, struct arena *arena,
			     struct other_addresses *others)
{
	bool fixed = true;
	for (size_t s = 0; s < desired->n_sets; s++)
		for (size_t i = 0; fixed && i < desired->sets[s].n_containers; i++) {
			const struct container *container = &desired->sets[s].containers[i];
			for (size_t k = 0; container != guest && k < container->n_attachments; k++)
				fixed &= declared_add(&container->attachments[k], prefix, arena,
						      others);
		}
	return fixed;
}
