#include "reconcile/plan/part.h"

#include "lib/hashmap.h"
#include "lib/keyed_hash.h"

#include <net/if.h>
#include <string.h>

/* Containers that follow each other in one set. */
struct range {
	size_t set, first, count; /* `first` counts the containers of all sets */
};

/* The set of a container's number among those of all sets. */
static size_t set_of(const struct desired *desired, size_t number)
{
	size_t set = 0;
	for (; number >= desired->sets[set].n_containers; set++)
		number -= desired->sets[set].n_containers;
	return set;
}

/* False: there are none, or others between them. */
static bool range_find(const struct desired *desired, const struct live *live,
		       const struct live_ns *ns, struct range *ret)
{
	const struct container_lookup *lookup = ns->lookups;
	if (!lookup)
		return false;
	*ret = (struct range){.first = (size_t)(lookup - live->container_lookups)};
	ret->set = set_of(desired, ret->first);
	for (; lookup; lookup = lookup->next, ret->count++)
		if (lookup != &live->container_lookups[ret->first + ret->count])
			return false;
	return set_of(desired, ret->first + ret->count - 1) == ret->set;
}

static const struct desired *desired_part(const struct desired *desired, const struct range *range,
					  struct arena *arena)
{
	struct desired *part = arena_alloc(arena, sizeof(*part));
	size_t before = 0;
	*part = *desired;
	part->sets = arena_alloc(arena, desired->n_sets * sizeof(*part->sets));
	for (size_t s = 0; s < desired->n_sets; s++) {
		part->sets[s] = desired->sets[s];
		part->sets[s].n_containers = s == range->set ? range->count : 0;
		if (s == range->set)
			part->sets[s].containers += range->first - before;
		before += desired->sets[s].n_containers;
	}
	return part;
}

static const struct live *live_part(const struct live *live, struct live_ns *ns,
				    const struct range *range, struct arena *arena)
{
	struct live *part = arena_alloc(arena, sizeof(*part));
	*part = *live;
	part->n_namespaces = 2;
	part->namespaces = arena_alloc(arena, part->n_namespaces * sizeof(*part->namespaces));
	part->namespaces[0] = live->namespaces[0];
	part->namespaces[1] = ns;
	part->container_lookups += range->first;
	part->n_containers = range->count;
	return part;
}

bool part_find(const struct desired *desired, const struct live *live, const struct live_ns *ns,
	       struct arena *arena, struct part *ret)
{
	struct range range;
	if (ns->host || !range_find(desired, live, ns, &range))
		return false;
	*ret = (struct part){
		.desired = desired_part(desired, &range, arena),
		.live = live_part(live, live->container_lookups[range.first].ns, &range, arena)};
	return true;
}

static bool address_is_set(const struct attachment *attachment, const struct ip *ip)
{
	if (ip_equal(&attachment->ipv4, ip) || ip_equal(&attachment->ipv6, ip))
		return true;
	for (size_t i = 0; i < attachment->n_addresses; i++)
		if (attachment->addresses[i].fixed &&
		    ip_equal(&attachment->addresses[i].within.ip, ip))
			return true;
	return false;
}

/* Whether the files alone decide the new value. */
static bool change_is_set(const struct step *step, const struct change *change)
{
	const struct attachment *attachment = step->attachment;
	if (!change->to)
		return true;
	switch (change->field) {
	case FIELD_ADDRESS:
		return address_is_set(attachment, &change->addr.ip);
	case FIELD_MAC:
		return attachment->mac.set;
	case FIELD_NAME:
		return attachment->interface_name;
	case FIELD_BCLIM: /* without the key, links of other sets on the parent decide */
		return step->network->has_bclim;
	default:
		return true;
	}
}

/* Sums of these do not depend on the order of the links. */
static uint64_t attached_hash(const char *alias, const struct mac *mac)
{
	return keyed_hash(keyed_hash_text(0, alias), mac->bytes, sizeof(mac->bytes));
}

static uint64_t attached_live(const struct live_ns *ns)
{
	uint64_t sum = 1;
	for (size_t i = 0; i < ns->n_links; i++)
		if (ns->links[i].tag.role == ROLE_ATTACH)
			sum += attached_hash(ns->links[i].alias, &ns->links[i].mac);
	return sum;
}

/* The namespaces of an address or MAC that several have. */
static void holder_note(struct index *holders, const void *key, size_t size, struct live_ns *ns)
{
	struct live_ns *other = index_put(holders, key, size, ns);
	if (other && other != ns)
		other->attached = ns->attached = 0;
}

/* The loopback's addresses do not count: each namespace whose loopback is up has the same. */
static void holders_note(struct index *holders, struct live_ns *ns)
{
	for (size_t i = 0; i < ns->n_links; i++)
		if (ns->links[i].mac.set && !(ns->links[i].flags & IFF_LOOPBACK))
			holder_note(holders, ns->links[i].mac.bytes, sizeof(ns->links[i].mac.bytes),
				    ns);
	for (size_t i = 0; i < ns->n_addrs; i++)
		if (!ip_is_loopback(&ns->addrs[i].prefix.ip))
			holder_note(holders, &ns->addrs[i].prefix.ip,
				    sizeof(ns->addrs[i].prefix.ip), ns);
}

void part_remember(const struct plan *plan, const struct live *live)
{
	struct index *holders __attribute__((cleanup(index_cleanup))) =
		index_new(2 * live->n_namespaces);
	for (size_t i = 0; i < live->n_namespaces; i++)
		live->namespaces[i]->attached = attached_live(live->namespaces[i]);
	for (size_t i = 0; i < live->n_namespaces; i++)
		holders_note(holders, live->namespaces[i]);
	for (size_t i = 0; i < plan->n_steps; i++)
		if (plan->steps[i].ns)
			plan->steps[i].ns->attached = 0;
}

static bool creation_is_set(const struct step *step)
{
	const struct link_spec *spec = step->desired;
	if (step_new_parent(step))
		return false;
	for (size_t i = 0; i < spec->n_addrs; i++)
		if (!address_is_set(step->attachment, &spec->addrs[i].ip))
			return false;
	return true;
}

static bool changes_are_set(const struct step *step)
{
	for (size_t i = 0; i < step->n_changes; i++)
		if (!change_is_set(step, &step->changes[i]))
			return false;
	return true;
}

static bool step_stands(const struct step *step, const struct live_ns *ns)
{
	if (!step->attachment || step->ns != ns || step->temporary.name || step->temporary.mac ||
	    !step->desired || step->desired->dhcp.enabled || step->desired->probe)
		return false;
	return step->action == ACTION_CHANGE   ? changes_are_set(step)
	       : step->action == ACTION_CREATE ? creation_is_set(step)
					       : false;
}

/* Whether the links that are created have the MACs of those that are gone. */
static bool links_return(const struct plan *plan, const struct live_ns *ns)
{
	uint64_t sum = attached_live(ns);
	for (size_t i = 0; i < plan->n_steps; i++)
		if (plan->steps[i].action == ACTION_CREATE)
			sum += attached_hash(plan->steps[i].desired->alias,
					     &plan->steps[i].desired->mac);
	return sum == ns->attached;
}

bool part_stands(const struct plan *plan, const struct live_ns *ns)
{
	for (size_t i = 0; i < plan->n_steps; i++)
		if (!step_stands(&plan->steps[i], ns))
			return false;
	if (plan_count(plan, ACTION_CREATE) && !links_return(plan, ns))
		return false;
	return plan->n_steps > 0 && !plan->left.set && !plan->guard.refused;
}
