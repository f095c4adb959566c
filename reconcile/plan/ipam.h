/* IP address management: assigns the addresses of the planned attachments.
 *
 * Takes: the attachments, and the holders of addresses on their parents. Gives: for each attachment
 * the address of each family, whether the file sets it or leaves it open, or its lease. A live
 * address that is still valid is kept. No two attachments get the same address. A container gets
 * the lowest free address, the host the highest. In a subnet without gateway and ip_range, the
 * first and the last address are not chosen: a router is likely to have one of them. */
#ifndef RECONCILE_PLAN_IPAM_H
#define RECONCILE_PLAN_IPAM_H

#include "reconcile/plan/unmanaged_index.h"

enum { IPV4, IPV6, N_FAMILIES };

struct assigned_address {
	struct ip ip[N_FAMILIES];         /* family 0: none */
	bool chosen[N_FAMILIES];          /* newly, in this plan */
	const struct live_addr *lease;    /* with IPv4 by DHCP; NULL: no lease yet */
	struct check_result check_result; /* address sets during selection */
};

struct addresses {
	const struct assigned_address *assigned; /* by planned_attachment.number */
	/* The addresses that links of attachments and deleted links do not keep. */
	const struct address_set *attachment_claims;
};

struct addresses addresses_choose(const struct matched *matched,
				  const struct unmanaged_index *unmanaged);

/* The link that claims the address on the attachment's parent, or NULL. `attachment_claims`: of
 * struct addresses. */
const struct unmanaged *address_claimant(const struct matched *matched,
					 const struct unmanaged_index *unmanaged,
					 const struct address_set *attachment_claims,
					 const struct planned_attachment *planned,
					 const struct ip *ip);

#endif
