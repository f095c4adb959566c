/* IP address management: assigns the addresses of the planned attachments.
 *
 * Takes: the attachments, and the holders of addresses on their parents. Gives: for each attachment
 * the address of each family, whether the file sets it or leaves it open, or its lease. A live
 * address that is still valid is kept. No two attachments get the same address. A container gets
 * the lowest free address, the host the highest. In a subnet without gateway and ip_range, the
 * first and the last address are not chosen: a router is likely to have one of them. */
#ifndef RECONCILE_PLAN_IPAM_H
#define RECONCILE_PLAN_IPAM_H

#include "reconcile/plan/assigned_address.h"
#include "reconcile/plan/unmanaged_index.h"

struct addresses {
	const struct assigned_address *assigned; /* by planned_attachment.number */
	/* The addresses that links of attachments and deleted links do not keep. */
	const struct address_set *attachment_claims;
};

struct addresses addresses_choose(const struct matched *matched,
				  const struct unmanaged_index *unmanaged);

#endif
