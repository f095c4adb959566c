/* Interface names and MAC addresses. */
#include "reconcile/plan/internal.h"

#include "lib/hash.h"
#include "schema/driver.h"

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

static const char *explicit_name(struct planner *planner, const struct planned_attachment *planned)
{
	if (planned->attachment)
		return planned->attachment->interface_name;
	if (planned->network->host.interface_name)
		return planned->network->host.interface_name;
	return derived_name(planner->arena, "mv", planned->set->name, planned->network->name);
}

/* By whom. */
static const struct planned_attachment *name_chosen(const struct netns_group *netns_group,
						    const char *name)
{
	for (size_t i = 0; i < netns_group->count; i++)
		if (netns_group->planned_all[i]->name &&
		    strcmp(netns_group->planned_all[i]->name, name) == 0)
			return netns_group->planned_all[i];
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
	return link && link_unmanaged(planner, link);
}

/* A name that was chosen before stays, so that no interface is renamed as others come and go. */
static void name_keep(const struct netns_group *netns_group, struct planned_attachment *planned)
{
	if (!planned->name && planned->current &&
	    (planned->current->mark.role == ROLE_NONE || is_ethn(planned->current->name)) &&
	    !name_chosen(netns_group, planned->current->name))
		planned->name = planned->current->name;
}

static void name_lowest(struct planner *planner, const struct netns_group *netns_group,
			struct planned_attachment *planned)
{
	char name[IFNAMSIZ];
	for (unsigned n = 0; !planned->name; n++) {
		snprintf(name, sizeof(name), "eth%u", n);
		if (!name_chosen(netns_group, name) && !occupied(planner, planned->ns, name))
			planned->name = arena_strdup(planner->arena, name);
	}
}

/* The second who asks for a name of the same namespace: the schema sees only those of one
 * container. */
static void name_explicit(struct planner *planner, const struct netns_group *netns_group,
			  struct planned_attachment *planned)
{
	const char *name = explicit_name(planner, planned);
	const struct planned_attachment *other = name ? name_chosen(netns_group, name) : NULL;
	planned->name = name;
	if (other && planned->check_result.action == ACTION_CREATE)
		planned->check_result = (struct check_result){
			.action = ACTION_BLOCKED,
			.code = CODE_INTERFACE_TAKEN,
			.reason = arena_printf(planner->arena, "%s/%s gets the name %s in %s, too",
					       other->container->name, other->network->name, name,
					       planned->ns->name),
			.hint = "give one of the two another interface_name",
		};
}

static void netns_groups_name(struct planner *planner, const struct netns_group *netns_group)
{
	for (size_t i = 0; i < netns_group->count; i++)
		name_explicit(planner, netns_group, netns_group->planned_all[i]);
	for (size_t i = 0; i < netns_group->count; i++)
		name_keep(netns_group, netns_group->planned_all[i]);
	for (size_t i = 0; i < netns_group->count; i++)
		name_lowest(planner, netns_group, netns_group->planned_all[i]);
}

void names_choose(struct planner *planner)
{
	for (size_t i = 0; i < planner->n_netns_groups; i++)
		netns_groups_name(planner, &planner->netns_group[i]);
	for (size_t i = planner->n_attachments; i < planner->n_planned; i++)
		planner->planned_all[i].name = explicit_name(planner, &planner->planned_all[i]);
}

static uint64_t names_hash(const struct planner *planner, const struct planned_attachment *planned)
{
	uint64_t hash = hash_text(HASH_START, planned->set->name);
	hash = hash_text(hash, planned->network->name);
	hash = hash_text(hash, planned->container ? planned->container->name : "");
	/* The same container on another host of the LAN has a MAC of its own. */
	if (planned->network->several_hosts && planner->desired->host)
		hash = hash_text(hash, planner->desired->host);
	return hash;
}

/* A locally administered unicast address (IEEE 802, 8.2.2) that is no 02:42 one. */
static struct mac mac_from_names(const struct planner *planner,
				 const struct planned_attachment *planned)
{
	const uint64_t hash = names_hash(planner, planned);
	struct mac mac = {.bytes = {0x06}, .set = true};
	memcpy(mac.bytes + 1, &hash, sizeof(mac.bytes) - 1);
	return mac;
}

#define MAC_OTHER_FIRST 0x0e

/* The address that the planned attachment's MAC comes of, or NULL: it comes of the names. */
static const struct ip *mac_source(const struct planned_attachment *planned)
{
	return planned->ip[0].family && !planned_leases(planned, 0) ? &planned->ip[0] : NULL;
}

/* The one to take where the first `number` are somebody else's. It has its number in it, so that it
 * is known again for the attachment's own. */
static struct mac mac_derived(const struct planner *planner,
			      const struct planned_attachment *planned, const struct ip *ip,
			      uint16_t number)
{
	if (number == 0)
		return ip ? mac_of_ipv4(ip) : mac_from_names(planner, planned);
	uint64_t hash = names_hash(planner, planned);
	if (ip)
		hash = hash_bytes(hash, ip->bytes, sizeof(ip->bytes));
	hash = hash_bytes(hash, &number, sizeof(number));
	return (struct mac){.bytes = {MAC_OTHER_FIRST, (uint8_t)(number >> 8), (uint8_t)number,
				      (uint8_t)(hash >> 16), (uint8_t)(hash >> 8), (uint8_t)hash},
			    .set = true};
}

static bool mac_is_derived(const struct planner *planner, const struct planned_attachment *planned,
			   const struct ip *ip)
{
	const struct mac *mac = &planned->current->mac;
	const uint16_t number = mac->bytes[0] == MAC_OTHER_FIRST
					? (uint16_t)(mac->bytes[1] << 8 | mac->bytes[2])
					: 0;
	const struct mac derived = mac_derived(planner, planned, ip, number);
	return mac->set && mac_equal(mac, &derived);
}

bool mac_is_of_address(const struct planner *planner, const struct planned_attachment *planned,
		       const struct ip *ip)
{
	return ip->family == AF_INET && mac_is_derived(planner, planned, ip);
}

static bool mac_chosen(const struct planned_attachment *planned)
{
	return !(planned->attachment && planned->attachment->mac.set) &&
	       !driver_shares_mac(planned->network->driver, planned->network->mode);
}

bool mac_is_live(const struct planned_attachment *planned, const struct mac *mac)
{
	const struct live_link *current = planned->current, *parent = planned->parent->link;
	return current && parent && live_link_on(current, parent->ifindex) &&
	       current->flags & IFF_UP && mac_equal(&current->mac, mac);
}

/* Whether a link of ours in another namespace has the MAC. It leaves, or gets another, before ours
 * is made; but whoever made it can make it again. */
static bool mac_contested(const struct planner *planner, const struct planned_attachment *planned,
			  const struct mac *mac)
{
	const struct managed_link *managed = mac_passing(planner, planned, mac);
	return managed && managed->ns != planned->ns;
}

/* What is live stays, also if it was not the first choice when it was made. After a first refusal
 * by the kernel, none that any other link has. */
static struct mac mac_free(const struct planner *planner, const struct planned_attachment *planned)
{
	const struct ip *ip = mac_source(planned);
	const struct refused_macs *refused = planner->options->refused;
	if (planned->current && mac_is_derived(planner, planned, ip) &&
	    (mac_is_live(planned, &planned->current->mac) ||
	     (!mac_holder(planner, planned, &planned->current->mac) &&
	      !refused_macs_have(refused, &planned->current->mac))))
		return planned->current->mac;
	const struct mac first = mac_derived(planner, planned, ip, 0);
	const bool strict = refused_macs_have(refused, &first);
	for (uint16_t number = 0; number < UINT16_MAX; number++) {
		const struct mac mac = mac_derived(planner, planned, ip, number);
		if (!mac_holder(planner, planned, &mac) && !refused_macs_have(refused, &mac) &&
		    !(strict && mac_contested(planner, planned, &mac)))
			return mac;
	}
	return first;
}

void macs_choose(struct planner *planner)
{
	for (size_t i = 0; i < planner->n_planned; i++) {
		struct planned_attachment *planned = &planner->planned_all[i];
		if (planned->attachment && planned->attachment->mac.set)
			planned->mac = planned->attachment->mac;
		else if (mac_chosen(planned))
			planned->mac = mac_free(planner, planned);
	}
}

void macs_yield(struct planner *planner, const struct planned_attachment *const *holders,
		size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct unmanaged *unmanaged = arena_alloc(planner->scratch, sizeof(*unmanaged));
		*unmanaged =
			(struct unmanaged){.parent = parent_of_link(planner, holders[i]->current),
					   .ns = holders[i]->ns,
					   .link = holders[i]->current,
					   .planned = holders[i]};
		if (unmanaged->parent)
			mac_hold(planner, unmanaged);
	}
	for (size_t i = 0; count && i < planner->n_planned; i++) {
		struct planned_attachment *planned = &planner->planned_all[i];
		if (planned->check_result.action == ACTION_CREATE && mac_chosen(planned))
			planned->mac = planned->desired->mac = mac_free(planner, planned);
	}
}
