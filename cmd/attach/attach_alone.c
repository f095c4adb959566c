#include "cmd/attach/attach_alone.h"

#include "cmd/attach/declared_addresses.h"
#include "cmd/attach/other_addresses.h"
#include "kernel/netns.h"
#include "kernel/rtnl_decode.h"
#include "kernel/rtnl_encode.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <string.h>

/* Another link has the MAC, or may have the address. */
static bool is_collision(const struct link_spec *spec, const struct mac *mac)
{
	static const uint8_t multicast = 1, derived[] = {0x02, 0x42};
	if (mac->bytes[0] & multicast)
		return false;
	if (mac_equal(mac, &spec->mac) || memcmp(mac->bytes, derived, sizeof(derived)) != 0)
		return true;
	for (size_t i = 0; i < spec->n_addrs; i++)
		if (mac_is_of_ipv4(mac, &spec->addrs[i].ip))
			return true;
	return false;
}

struct comparison {
	const struct link_spec *spec;
	bool collides;
};

static int entry_compare(const struct nlmsghdr *message, void *data, struct error *error)
{
	struct comparison *comparison = data;
	struct mac mac;
	int ifindex;
	const enum decoded decoded = message->nlmsg_type == RTM_NEWNEIGH
					     ? decode_fdb(message, &ifindex, &mac)
					     : DECODE_SKIP;
	if (decoded == DECODE_BAD)
		return error_set(error, EBADMSG, "the kernel's listing of MACs is malformed");
	if (decoded == DECODED && ifindex == comparison->spec->parent)
		comparison->collides |= is_collision(comparison->spec, &mac);
	return 0;
}

/* A parent that does not exist yet has no other links. */
static bool parent_is_free(const struct link_spec *spec, const struct live *live)
{
	union message request;
	struct error ignored;
	struct comparison comparison = {.spec = spec};
	if (!spec->parent)
		return true;
	return encode_fdb_dump(&request, spec->parent) &&
	       netlink_dump(live->namespaces[0]->handle->netlink, &request.header, entry_compare,
			    &comparison, &ignored) == 0 &&
	       !comparison.collides;
}

/* Whether all of its addresses are in one IPv4 prefix, which the files or the caller decide. An
 * address of a declared container may be that of its link in a former namespace. */
static bool attachment_prefix(const struct container *container,
			      const struct attachment *attachment, struct prefix *ret)
{
	const struct network *network = attachment->network;
	const struct ip *ip = &attachment->ipv4;
	if (network_has_family(network, AF_INET6) || attachment->ipv6.family || attachment->dhcp ||
	    (!ip->family && (!container->guest || network->n_subnets != 1)))
		return false;
	*ret = ip->family ? (struct prefix){*ip, (uint8_t)ip_bits(ip)} : network->subnets[0].prefix;
	return true;
}

static bool is_attached(const struct containers *containers, const struct attachment *attachment)
{
	return !containers->attachment || containers->attachment == attachment;
}

bool attach_may_be_alone(const struct containers *containers)
{
	struct prefix ignored;
	for (size_t i = 0; i < containers->count; i++)
		for (size_t k = 0; k < containers->items[i]->n_attachments; k++) {
			const struct attachment *attachment = &containers->items[i]->attachments[k];
			if (is_attached(containers, attachment) &&
			    !attachment_prefix(containers->items[i], attachment, &ignored))
				return false;
		}
	return containers->count > 0;
}

static const char *set_of(const struct desired *desired, const struct container *container)
{
	size_t s = 0;
	while (s + 1 < desired->n_sets &&
	       (container < desired->sets[s].containers ||
		container >= desired->sets[s].containers + desired->sets[s].n_containers))
		s++;
	return desired->sets[s].name;
}

/* For one attachment. Where an address is chosen, those that the files give to others are in use,
 * too; of an excerpt, a service knows them. */
static bool others_add(const struct desired *desired, const struct container *container,
		       const struct attachment *attachment, const struct live *live,
		       struct arena *arena, struct other_addresses *others)
{
	struct prefix prefix;
	const bool chosen = !attachment->ipv4.family;
	if (!attachment_prefix(container, attachment, &prefix) ||
	    (chosen && !desired->excerpt &&
	     !declared_addresses_find(desired, container, &prefix, arena, others)))
		return false;
	const struct address_search search = {.prefix = prefix,
					      .set = set_of(desired, container),
					      .declared = chosen && desired->excerpt};
	return other_addresses_find(live, &search, arena, others);
}

bool attach_others_find(const struct desired *desired, const struct containers *containers,
			const struct live *live, struct arena *arena,
			struct other_addresses *ret_others)
{
	*ret_others = (struct other_addresses){0};
	for (size_t i = 0; i < containers->count; i++) {
		const struct container *container = containers->items[i];
		for (size_t k = 0; k < container->n_attachments; k++) {
			const struct attachment *attachment = &container->attachments[k];
			if (is_attached(containers, attachment) &&
			    !others_add(desired, container, attachment, live, arena, ret_others))
				return false;
		}
	}
	return true;
}

/* passthru excludes all other links, and ipvlans have no MACs. */
static bool step_is_alone(const struct step *step)
{
	const struct link_spec *spec = step->desired;
	return step->action == ACTION_CREATE && step->attachment && spec->n_addrs == 1 &&
	       spec->mac.set && !spec->dhcp.enabled && !spec->probe &&
	       spec->mode != MODE_PASSTHRU &&
	       (spec->kind == KIND_MACVLAN || spec->kind == KIND_MACVTAP);
}

bool attach_alone(const struct selection *selection, const struct live *live,
		  const struct containers *containers)
{
	const struct plan *plan = selection->plan;
	size_t count = 0;
	for (size_t i = 0; i < plan->n_steps; i++) {
		const struct step *step = &plan->steps[i];
		if (!containers_have(containers, step))
			continue;
		if (!step_is_alone(step) || !parent_is_free(step->desired, live))
			return false;
		count++;
	}
	return count > 0;
}

/* The containers of the set from the first to the last that is one of these. */
static void set_reduce(struct set *set, const struct containers *containers)
{
	size_t first = set->n_containers, end = 0;
	for (size_t i = 0; i < set->n_containers; i++)
		for (size_t k = 0; k < containers->count; k++) {
			if (containers->items[k] != &set->containers[i])
				continue;
			first = first < i ? first : i;
			end = i + 1;
		}
	set->n_containers = end > first ? end - first : 0;
	set->containers += set->n_containers ? first : 0;
}

const struct desired *attach_desired(const struct desired *desired,
				     const struct containers *containers, struct arena *arena)
{
	struct desired *copy = arena_alloc(arena, sizeof(*copy));
	const size_t size = desired->n_sets * sizeof(struct set);
	*copy = *desired;
	copy->sets = memcpy(arena_alloc(arena, size), desired->sets, size);
	for (size_t i = 0; i < copy->n_sets; i++)
		set_reduce(&copy->sets[i], containers);
	return copy;
}

bool attach_beside(const struct live *live)
{
	for (size_t i = 1; i < live->n_namespaces; i++)
		for (size_t k = 0; k < live->namespaces[i]->n_links; k++)
			if (live->namespaces[i]->links[k].tag.role != ROLE_NONE)
				return true;
	return false;
}
