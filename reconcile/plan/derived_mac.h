/* MAC addresses derived from IP addresses, or from the names of set, network and container. */
#ifndef RECONCILE_PLAN_DERIVED_MAC_H
#define RECONCILE_PLAN_DERIVED_MAC_H

#include "reconcile/plan/attachments.h"

/* The attachment's MAC with that number: a higher number if the first ones belong to other links.
 * `ip`: the IPv4 address from which it is derived; NULL: it is derived from the names. */
struct mac mac_derived(const struct plan_input *input, const struct planned_attachment *planned,
		       const struct ip *ip, uint16_t number);
/* Whether the attachment's live link has one of them. */
bool mac_is_derived(const struct plan_input *input, const struct planned_attachment *planned,
		    const struct ip *ip);
/* Whether the attachment's live link has a MAC that is derived from the address. */
bool mac_is_of_address(const struct plan_input *input, const struct planned_attachment *planned,
		       const struct ip *ip);
/* Whether the attachment's live link has the MAC and is up: then no other link of the parent with
 * that MAC can be set up (macvlan_addr_busy). */
bool mac_is_live(const struct planned_attachment *planned, const struct mac *mac);

#endif
