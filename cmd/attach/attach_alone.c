#include "cmd/attach/attach_alone.h"

#include "cmd/attach/address_holders.h"
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

/* passthru excludes all other links, and ipvlans have no MACs. */
static bool step_is_alone(const struct step *step)
{
	const struct link_spec *spec = step->desired;
	const struct attachment *attachment = step->attachment;
	return step->action == ACTION_CREATE && attachment && attachment->ipv4.family &&
	       spec->n_addrs == 1 && spec->mac.set && !spec->dhcp.enabled && !spec->probe &&
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
		if (!step_is_alone(step) || !parent_is_free(step->desired, live) ||
		    address_held(live, step->desired, step->tag.set))
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
