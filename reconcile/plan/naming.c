/* Interface names and MAC addresses. */
#include "reconcile/plan/internal.h"

#include "lib/hash.h"

#include <inttypes.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>

const char *derived_name(struct arena *arena, const char *prefix, const char *set, const char *name)
{
	const char *plain = strcmp(set, "default") == 0
				    ? arena_printf(arena, "%s-%s", prefix, name)
				    : arena_printf(arena, "%s-%s.%s", prefix, set, name);
	if (strlen(plain) < IFNAMSIZ)
		return plain;
	uint64_t hash = hash_text(hash_text(HASH_START, set), name);
	return arena_printf(arena, "%s-%08" PRIx32, prefix, (uint32_t)(hash ^ hash >> 32));
}

static const char *explicit_name(struct planner *planner, const struct slot *slot)
{
	if (slot->attachment)
		return slot->attachment->interface_name;
	if (slot->network->host.interface_name)
		return slot->network->host.interface_name;
	return derived_name(planner->arena, "mv", slot->set->name, slot->network->name);
}

/* By whom. */
static const struct slot *name_chosen(const struct tenants *tenants, const char *name)
{
	for (size_t i = 0; i < tenants->count; i++)
		if (tenants->slots[i]->name && strcmp(tenants->slots[i]->name, name) == 0)
			return tenants->slots[i];
	return NULL;
}

static bool is_ethn(const char *name)
{
	size_t digits = strncmp(name, "eth", 3) == 0 ? strspn(name + 3, "0123456789") : 0;
	return digits && name[3 + digits] == '\0';
}

static bool occupied(const struct planner *planner, const struct live_ns *ns, const char *name)
{
	const struct live_link *link = ns ? live_link_by_name(ns, name) : NULL;
	return link && link_foreign(planner, link);
}

/* A name that was chosen before stays, so that no interface is renamed as others come and go. */
static void name_keep(const struct tenants *tenants, struct slot *slot)
{
	if (!slot->name && slot->have &&
	    (slot->have->mark.role == ROLE_NONE || is_ethn(slot->have->name)) &&
	    !name_chosen(tenants, slot->have->name))
		slot->name = slot->have->name;
}

static void name_lowest(struct planner *planner, const struct tenants *tenants, struct slot *slot)
{
	char name[IFNAMSIZ];
	for (unsigned n = 0; !slot->name; n++) {
		snprintf(name, sizeof(name), "eth%u", n);
		if (!name_chosen(tenants, name) && !occupied(planner, slot->ns, name))
			slot->name = arena_strdup(planner->arena, name);
	}
}

/* The second who asks for a name of the same namespace: the schema sees only those of one
 * container. */
static void name_explicit(struct planner *planner, const struct tenants *tenants, struct slot *slot)
{
	const char *name = explicit_name(planner, slot);
	const struct slot *other = name ? name_chosen(tenants, name) : NULL;
	slot->name = name;
	if (other && slot->verdict.action == ACTION_CREATE)
		slot->verdict = (struct verdict){
			.action = ACTION_BLOCKED,
			.code = CODE_INTERFACE_TAKEN,
			.reason = arena_printf(planner->arena, "%s/%s gets the name %s in %s, too",
					       other->container->name, other->network->name, name,
					       slot->ns->name),
			.hint = "give one of the two another interface_name",
		};
}

static void tenants_name(struct planner *planner, const struct tenants *tenants)
{
	for (size_t i = 0; i < tenants->count; i++)
		name_explicit(planner, tenants, tenants->slots[i]);
	for (size_t i = 0; i < tenants->count; i++)
		name_keep(tenants, tenants->slots[i]);
	for (size_t i = 0; i < tenants->count; i++)
		name_lowest(planner, tenants, tenants->slots[i]);
}

void names_choose(struct planner *planner)
{
	for (size_t i = 0; i < planner->n_tenants; i++)
		tenants_name(planner, &planner->tenants[i]);
	for (size_t i = planner->n_attachments; i < planner->n_slots; i++)
		planner->slots[i].name = explicit_name(planner, &planner->slots[i]);
}

static uint64_t names_hash(const struct planner *planner, const struct slot *slot)
{
	uint64_t hash = hash_text(HASH_START, slot->set->name);
	hash = hash_text(hash, slot->network->name);
	hash = hash_text(hash, slot->container ? slot->container->name : "");
	/* The same container on another host of the LAN has a MAC of its own. */
	if (slot->network->several_hosts && planner->desired->host)
		hash = hash_text(hash, planner->desired->host);
	return hash;
}

/* A locally administered unicast address (IEEE 802, 8.2.2) that is no 02:42 one. */
static struct mac mac_from_names(const struct planner *planner, const struct slot *slot)
{
	const uint64_t hash = names_hash(planner, slot);
	struct mac mac = {.bytes = {0x06}, .set = true};
	memcpy(mac.bytes + 1, &hash, sizeof(mac.bytes) - 1);
	return mac;
}

#define MAC_OTHER_FIRST 0x0e

/* The address that the slot's MAC comes of, or NULL: it comes of the names. */
static const struct ip *mac_source(const struct slot *slot)
{
	return slot->ip[0].family && !slot_leases(slot, 0) ? &slot->ip[0] : NULL;
}

/* The one to take where the first `number` are somebody else's. It has its number in it, so that it
 * is known again for the slot's own. */
static struct mac mac_derived(const struct planner *planner, const struct slot *slot,
			      const struct ip *ip, uint16_t number)
{
	if (number == 0)
		return ip ? mac_of_ipv4(ip) : mac_from_names(planner, slot);
	uint64_t hash = names_hash(planner, slot);
	if (ip)
		hash = hash_bytes(hash, ip->bytes, sizeof(ip->bytes));
	hash = hash_bytes(hash, &number, sizeof(number));
	return (struct mac){.bytes = {MAC_OTHER_FIRST, (uint8_t)(number >> 8), (uint8_t)number,
				      (uint8_t)(hash >> 16), (uint8_t)(hash >> 8), (uint8_t)hash},
			    .set = true};
}

static bool mac_is_derived(const struct planner *planner, const struct slot *slot,
			   const struct ip *ip)
{
	const struct mac *mac = &slot->have->mac;
	const uint16_t number = mac->bytes[0] == MAC_OTHER_FIRST
					? (uint16_t)(mac->bytes[1] << 8 | mac->bytes[2])
					: 0;
	const struct mac derived = mac_derived(planner, slot, ip, number);
	return mac->set && mac_equal(mac, &derived);
}

bool mac_is_of_address(const struct planner *planner, const struct slot *slot, const struct ip *ip)
{
	return ip->family == AF_INET && mac_is_derived(planner, slot, ip);
}

static bool mac_chosen(const struct slot *slot)
{
	return !(slot->attachment && slot->attachment->mac.set) &&
	       slot->network->driver == DRIVER_MACVLAN && slot->network->mode != MODE_PASSTHRU;
}

bool mac_is_live(const struct slot *slot, const struct mac *mac)
{
	const struct live_link *have = slot->have, *parent = slot->parent->link;
	return have && parent && live_link_on(have, parent->ifindex) && have->flags & IFF_UP &&
	       mac_equal(&have->mac, mac);
}

/* Whether a link of ours in another namespace has the MAC. It leaves, or gets another, before ours
 * is made; but whoever made it can make it again. */
static bool mac_contested(const struct planner *planner, const struct slot *slot,
			  const struct mac *mac)
{
	const struct owned *owned = mac_passing(planner, slot, mac);
	return owned && owned->ns != slot->ns;
}

/* What is live stays, also if it was not the first choice when it was made. After a first refusal
 * by the kernel, none that any other link has. */
static struct mac mac_free(const struct planner *planner, const struct slot *slot)
{
	const struct ip *ip = mac_source(slot);
	const struct refused_macs *refused = planner->options->refused;
	if (slot->have && mac_is_derived(planner, slot, ip) &&
	    (mac_is_live(slot, &slot->have->mac) ||
	     (!mac_holder(planner, slot, &slot->have->mac) &&
	      !refused_macs_have(refused, &slot->have->mac))))
		return slot->have->mac;
	const struct mac first = mac_derived(planner, slot, ip, 0);
	const bool strict = refused_macs_have(refused, &first);
	for (uint16_t number = 0; number < UINT16_MAX; number++) {
		const struct mac mac = mac_derived(planner, slot, ip, number);
		if (!mac_holder(planner, slot, &mac) && !refused_macs_have(refused, &mac) &&
		    !(strict && mac_contested(planner, slot, &mac)))
			return mac;
	}
	return first;
}

void macs_choose(struct planner *planner)
{
	for (size_t i = 0; i < planner->n_slots; i++) {
		struct slot *slot = &planner->slots[i];
		if (slot->attachment && slot->attachment->mac.set)
			slot->mac = slot->attachment->mac;
		else if (mac_chosen(slot))
			slot->mac = mac_free(planner, slot);
	}
}

void macs_yield(struct planner *planner, const struct slot *const *holders, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct foreign *foreign = arena_alloc(planner->scratch, sizeof(*foreign));
		*foreign = (struct foreign){.parent = parent_of_link(planner, holders[i]->have),
					    .ns = holders[i]->ns,
					    .link = holders[i]->have,
					    .slot = holders[i]};
		if (foreign->parent)
			mac_hold(planner, foreign);
	}
	for (size_t i = 0; count && i < planner->n_slots; i++) {
		struct slot *slot = &planner->slots[i];
		if (slot->verdict.action == ACTION_CREATE && mac_chosen(slot))
			slot->mac = slot->want->mac = mac_free(planner, slot);
	}
}
