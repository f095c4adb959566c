#include "schema/hosts.h"

/* A set during the selection of one host's part. */
struct part {
	struct arena *arena;
	const struct set *all;
	const char *host;
	struct network **networks; /* for each in `all` the copy in the part; NULL: assigned to
				      other hosts */
};

static struct ip_ranges pool_for(const struct part *part, const struct network *network,
				 const struct subnet *subnet)
{
	const struct host_range *range = subnet_host_range(subnet, part->host);
	if (range)
		return subnet_pool(subnet, &range->ranges, part->arena);
	if (subnet->n_host_ranges || network->several_hosts)
		return (struct ip_ranges){0};
	return subnet->pool;
}

static void take_network(const struct part *part, const struct network *from, struct network *to)
{
	*to = *from;
	to->subnets = arena_alloc(part->arena, from->n_subnets * sizeof(*to->subnets));
	for (size_t i = 0; i < from->n_subnets; i++) {
		to->subnets[i] = from->subnets[i];
		to->subnets[i].pool = pool_for(part, from, &from->subnets[i]);
	}
}

static void take_networks(struct part *part, struct set *set)
{
	const struct set *all = part->all;
	set->networks = arena_alloc(part->arena, all->n_networks * sizeof(*set->networks));
	part->networks = arena_alloc(part->arena, all->n_networks * sizeof(*part->networks));
	for (size_t i = 0; i < all->n_networks; i++) {
		if (!hosts_have(&all->networks[i].hosts, part->host))
			continue;
		part->networks[i] = &set->networks[set->n_networks++];
		take_network(part, &all->networks[i], part->networks[i]);
	}
}

static void take_attachments(const struct part *part, const struct container *from,
			     struct container *to)
{
	*to = *from;
	to->n_attachments = 0;
	to->attachments = arena_alloc(part->arena, from->n_attachments * sizeof(*to->attachments));
	for (size_t i = 0; i < from->n_attachments; i++) {
		struct attachment attachment = from->attachments[i];
		attachment.network = part->networks[attachment.network - part->all->networks];
		if (attachment.network)
			to->attachments[to->n_attachments++] = attachment;
	}
}

static size_t count_containers(const struct part *part)
{
	size_t count = 0;
	for (size_t i = 0; i < part->all->n_containers; i++)
		count += hosts_have(&part->all->containers[i].hosts, part->host);
	return count;
}

static void take_containers(const struct part *part, struct set *set)
{
	set->containers =
		arena_alloc(part->arena, count_containers(part) * sizeof(*set->containers));
	for (size_t i = 0; i < part->all->n_containers; i++)
		if (hosts_have(&part->all->containers[i].hosts, part->host))
			take_attachments(part, &part->all->containers[i],
					 &set->containers[set->n_containers++]);
}

static size_t count_networks(const struct desired *desired)
{
	size_t count = 0;
	for (size_t i = 0; i < desired->n_sets; i++)
		count += desired->sets[i].n_networks;
	return count;
}

struct desired *desired_for_host(const struct desired *all, const char *host, struct arena *arena)
{
	struct desired *desired = arena_alloc(arena, sizeof(*desired));
	*desired = (struct desired){.arena = arena, .host = host, .n_sets = all->n_sets};
	desired->sets = arena_alloc(arena, all->n_sets * sizeof(*desired->sets));
	for (size_t i = 0; i < all->n_sets; i++) {
		struct part part = {.arena = arena, .all = &all->sets[i], .host = host};
		desired->sets[i].name = all->sets[i].name;
		take_networks(&part, &desired->sets[i]);
		take_containers(&part, &desired->sets[i]);
	}
	desired->on_other_hosts = count_networks(all) && !count_networks(desired);
	return desired;
}
