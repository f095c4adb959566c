/* Interface names and MAC addresses. */
#include "reconcile/planner.h"

#include "base/hash.h"

#include <inttypes.h>
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
	if (!slot->name && slot->have && slot->have_ns == slot->ns &&
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
			.action = ACTION_REFUSED,
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

/* A locally administered unicast address (IEEE 802, 8.2.2) that is no 02:42 one. */
static struct mac mac_from_names(const struct planner *planner, const struct slot *slot)
{
	uint64_t hash = hash_text(HASH_START, slot->set->name);
	hash = hash_text(hash, slot->network->name);
	hash = hash_text(hash, slot->container ? slot->container->name : "");
	/* The same container on another host of the LAN has a MAC of its own. */
	if (slot->network->several_hosts && planner->desired->host)
		hash = hash_text(hash, planner->desired->host);
	struct mac mac = {.bytes = {0x06}, .set = true};
	memcpy(mac.bytes + 1, &hash, sizeof(mac.bytes) - 1);
	return mac;
}

void macs_choose(struct planner *planner)
{
	for (size_t i = 0; i < planner->n_slots; i++) {
		struct slot *slot = &planner->slots[i];
		if (slot->attachment && slot->attachment->mac.set)
			slot->mac = slot->attachment->mac;
		else if (slot->network->driver == DRIVER_IPVLAN ||
			 slot->network->mode == MODE_PASSTHRU)
			slot->mac = (struct mac){0};
		else if (slot->ip[0].family && !slot_leases(slot, 0))
			slot->mac = mac_of_ipv4(&slot->ip[0]);
		else
			slot->mac = mac_from_names(planner, slot);
	}
}
