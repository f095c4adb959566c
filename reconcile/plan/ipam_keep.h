/* Keeps the addresses that links have: no attachment moves when others are added or removed, when
 * the subnet gets another prefix length, or when the link gets one more address. */
#ifndef RECONCILE_PLAN_IPAM_KEEP_H
#define RECONCILE_PLAN_IPAM_KEEP_H

#include "reconcile/plan/ipam_state.h"

/* Finds the attachment that keeps an address which several links have. It comes before take_live,
 * for all attachments. */
void keepers_find(const struct ipam *ipam, const struct planned_attachment *planned, size_t slot);
void take_live(const struct ipam *ipam, const struct planned_attachment *planned, size_t slot);
/* While a container cannot be found, the address of a link with its owner tag is reserved for
 * it. */
void take_kept(const struct ipam *ipam, const struct planned_attachment *planned, size_t slot);
/* An attachment that replaces a removed one in the same namespace, for example of a renamed
 * network, gets its address, too. */
void take_all_former(const struct ipam *ipam);

#endif
