/* The addresses of one attachment, as address management assigns them. */
#ifndef RECONCILE_PLAN_ASSIGNED_ADDRESS_H
#define RECONCILE_PLAN_ASSIGNED_ADDRESS_H

#include "reconcile/plan/attachments.h"

enum { IPV4, IPV6, N_FAMILIES };

/* In the order of planned_attachment.requests. */
struct assigned_ip {
	struct ip ip; /* family 0: none */
	bool chosen;  /* newly, in this plan */
};

struct assigned_address {
	struct assigned_ip *ips;
	unsigned count;
	const struct live_addr *lease;    /* with IPv4 by DHCP; NULL: no lease yet */
	struct check_result check_result; /* address sets during selection */
};

/* The primary address of the family; its family is 0 if there is none. */
const struct ip *assigned_primary(const struct assigned_address *address, uint8_t family);
bool assigned_has(const struct assigned_address *address, const struct ip *ip);
/* Whether the attachment's subnets contain the address. */
bool assigned_reaches(const struct assigned_address *address, const struct network *network,
		      const struct ip *ip);

#endif
