/* Assigns interface names and MAC addresses to the planned attachments.
 *
 * Takes: the attachments with their addresses, and the holders of MACs on their parents. Gives: for
 * each attachment a name that is unique in its namespace, and, if links of its driver have MACs of
 * their own, a MAC that no other link on the parent has. Live names and MACs are kept. */
#ifndef RECONCILE_PLAN_NAMING_H
#define RECONCILE_PLAN_NAMING_H

#include "reconcile/plan/ipam.h"

struct assigned_name {
	const char *name;
	struct mac mac;
	struct check_result check_result; /* address sets during selection */
};

struct names {
	const struct assigned_name *assigned; /* by planned_attachment.number */
};

struct names names_choose(const struct matched *matched, const struct unmanaged_index *unmanaged,
			  const struct addresses *addresses);

/* Whether the file leaves the MAC open, and the driver has MACs of its own. */
bool mac_chosen(const struct planned_attachment *planned);
/* A MAC for an attachment with the IPv4 address `ip` (family 0: none): the live one, or one that no
 * other link has. `kept_macs`: as for mac_holder. */
struct mac mac_free(const struct plan_input *input, const struct unmanaged_index *unmanaged,
		    const struct address_set *kept_macs, const struct planned_attachment *planned,
		    const struct ip *ip);
#endif
