/* MAC addresses derived from IP addresses, or from the names of set, network and container. */
#ifndef RECONCILE_PLAN_DERIVED_MAC_H
#define RECONCILE_PLAN_DERIVED_MAC_H

#include "reconcile/plan/attachments.h"

/* The attachment's MAC of that number: another number, where the first ones are somebody else's.
 * `ip`: the IPv4 address that it comes of; NULL: it comes of the names. */
struct mac mac_derived(const struct plan_input *input, const struct planned_attachment *planned,
		       const struct ip *ip, uint16_t number);
/* Whether the attachment's live link has one of them. */
bool mac_is_derived(const struct plan_input *input, const struct planned_attachment *planned,
		    const struct ip *ip);
/* Whether the attachment's live link has a MAC that comes of the address. */
bool mac_is_of_address(const struct plan_input *input, const struct planned_attachment *planned,
		       const struct ip *ip);
/* Whether the attachment's live link has the MAC, and is up: no other on the parent that has it can
 * come up (macvlan_addr_busy). */
bool mac_is_live(const struct planned_attachment *planned, const struct mac *mac);

#endif
