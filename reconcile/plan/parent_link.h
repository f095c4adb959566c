/* The link of the host that a network's `parent` and `vlan` name. Pure.
 *
 * A link whose name or altname is exactly `parent` comes first, whatever its kind: NAME.VID is
 * short for VLAN VID of NAME only where the host has no link of that name. */
#ifndef RECONCILE_PLAN_PARENT_LINK_H
#define RECONCILE_PLAN_PARENT_LINK_H

#include "reconcile/state/state.h"

struct parent_link {
	const char *base_name;         /* of `base` in the file: "eth0" of eth0.10 */
	const struct live_link *base;  /* the link that the VLAN is on, or the parent itself; NULL:
					  the host has none */
	const struct live_link *link;  /* the parent itself; NULL: not there yet */
	const struct live_link *named; /* the VLAN link that `parent` names exactly, which is `link`
					  unless the network needs another protocol; or NULL */
	uint16_t vlan;                 /* 0: a link that mvapply does not create */
	enum vlan_protocol vlan_protocol;
};

/* The network has a parent. */
struct parent_link parent_link_find(const struct live_ns *host, const struct network *network);
/* Its name in the kernel, or the one that it would get; in the arena or with the argument. */
const char *parent_link_name(const struct parent_link *parent, struct arena *arena);

#endif
