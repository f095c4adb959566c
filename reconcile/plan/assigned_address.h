/* The addresses of one attachment, as address management assigns them. */
#ifndef RECONCILE_PLAN_ASSIGNED_ADDRESS_H
#define RECONCILE_PLAN_ASSIGNED_ADDRESS_H

#include "reconcile/plan/attachments.h"

enum { IPV4, IPV6, N_FAMILIES };

struct assigned_address {
	struct ip ip[N_FAMILIES];         /* family 0: none */
	bool chosen[N_FAMILIES];          /* newly, in this plan */
	const struct live_addr *lease;    /* with IPv4 by DHCP; NULL: no lease yet */
	struct check_result check_result; /* address sets during selection */
};

#endif
