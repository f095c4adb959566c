/* The routing tables of attachments with a DHCP lease, and of those of containers with
 * `policy_routing`.
 *
 * Takes: the attachments. Gives: the table of each: that in which its live link has a route
 * already, or the lowest that no attachment in the namespace has. 0: none. */
#ifndef RECONCILE_PLAN_SOURCE_TABLES_H
#define RECONCILE_PLAN_SOURCE_TABLES_H

#include "reconcile/plan/ipam.h"

/* By planned_attachment.number. */
const uint32_t *source_tables_choose(const struct matched *matched);

#endif
