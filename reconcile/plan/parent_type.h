/* Which types of links can be a parent. Pure. */
#ifndef RECONCILE_PLAN_PARENT_TYPE_H
#define RECONCILE_PLAN_PARENT_TYPE_H

#include "kernel/link.h"

/* NULL: macvlan, ipvlan and VLAN links can be on it; else its type, for people: "wireguard", "PPP".
 * In the arena, or constant. */
const char *parent_type_unfit(const struct live_link *link, struct arena *arena);

#endif
