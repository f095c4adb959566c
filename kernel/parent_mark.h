/* The marks on a link of the host that networks with `manage_parent` use as their parent: altnames
 * of the link. An alias could be another program's already, and the kernel keeps only one; altnames
 * are many, disappear with the link, and stay when it is renamed.
 *
 *   mvapply-was.IFINDEX.STATE.MTU   before the first such network: "up" or "down", and the MTU
 *   mvapply-for.IFINDEX.MTU.SET     a set with such networks, and the MTU that they need; 0: any
 *
 * An altname is unique in its namespace, so it has the link's ifindex; it is not read. Whether the
 * link's MTU is still the one that mvapply set is known from the marks: the highest MTU that they
 * list. */
#ifndef KERNEL_PARENT_MARK_H
#define KERNEL_PARENT_MARK_H

#include "lib/arena.h"

#include <stdbool.h>
#include <stdint.h>

enum parent_mark_kind { PARENT_MARK_NONE, PARENT_MARK_WAS, PARENT_MARK_FOR };

struct parent_mark {
	enum parent_mark_kind kind; /* PARENT_MARK_NONE: another altname */
	bool up;                    /* PARENT_MARK_WAS */
	uint32_t mtu;
	const char *set; /* PARENT_MARK_FOR; in the altname or the arena */
};

struct parent_mark parent_mark_parse(const char *altname);
/* In the arena. */
const char *parent_mark_format(struct arena *arena, int ifindex, const struct parent_mark *mark);

#endif
