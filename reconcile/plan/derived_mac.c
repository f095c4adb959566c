#include "reconcile/plan/derived_mac.h"

#include "lib/hash.h"

static uint64_t names_hash(const struct plan_input *input, const struct planned_attachment *planned)
{
	uint64_t hash = hash_text(HASH_START, planned->set->name);
	hash = hash_text(hash, planned->network->name);
	hash = hash_text(hash, planned->container ? planned->container->name : "");
	if (planned->attachment && attachment_own_name(planned->attachment))
		hash = hash_text(hash, planned->attachment->name);
	/* A container of the same name on another host of the LAN gets another MAC. */
	if (planned->network->several_hosts && input->desired->host)
		hash = hash_text(hash, input->desired->host);
	return hash;
}

/* A locally administered unicast address (IEEE 802, 8.2.2) that does not begin with 02:42. */
static struct mac mac_from_names(const struct plan_input *input,
				 const struct planned_attachment *planned)
{
	const uint64_t hash = names_hash(input, planned);
	struct mac mac = {.bytes = {0x06}, .set = true};
	for (size_t i = 1; i < sizeof(mac.bytes); i++) /* the same on machines of any byte order */
		mac.bytes[i] = (uint8_t)(hash >> 8 * (i - 1));
	return mac;
}

#define MAC_OTHER_FIRST 0x0e

/* The MAC to use if the first `number` ones belong to other links. It contains its number, so that
 * it is recognised as the attachment's own. */
struct mac mac_derived(const struct plan_input *input, const struct planned_attachment *planned,
		       const struct ip *ip, uint16_t number)
{
	if (number == 0)
		return ip ? mac_of_ipv4(ip) : mac_from_names(input, planned);
	uint64_t hash = names_hash(input, planned);
	if (ip)
		hash = hash_bytes(hash, ip->bytes, sizeof(ip->bytes));
	hash = hash_bytes(hash, (uint8_t[]){(uint8_t)number, (uint8_t)(number >> 8)}, 2);
	return (struct mac){.bytes = {MAC_OTHER_FIRST, (uint8_t)(number >> 8), (uint8_t)number,
				      (uint8_t)(hash >> 16), (uint8_t)(hash >> 8), (uint8_t)hash},
			    .set = true};
}

bool mac_is_derived(const struct plan_input *input, const struct planned_attachment *planned,
		    const struct ip *ip)
{
	const struct mac *mac = &planned->current->mac;
	const uint16_t number = mac->bytes[0] == MAC_OTHER_FIRST
					? (uint16_t)(mac->bytes[1] << 8 | mac->bytes[2])
					: 0;
	const struct mac derived = mac_derived(input, planned, ip, number);
	return mac->set && mac_equal(mac, &derived);
}

bool mac_is_of_address(const struct plan_input *input, const struct planned_attachment *planned,
		       const struct ip *ip)
{
	return ip->family == AF_INET && mac_is_derived(input, planned, ip);
}

bool mac_is_live(const struct planned_attachment *planned, const struct mac *mac)
{
	const struct live_link *current = planned->current, *parent = planned->parent->link;
	return current && parent && live_link_on(current, parent->ifindex) &&
	       current->flags & IFF_UP && mac_equal(&current->mac, mac);
}
