/* Link names that mvapply derives from the names of sets and networks. */
#ifndef RECONCILE_PLAN_LINK_NAME_H
#define RECONCILE_PLAN_LINK_NAME_H

#include "lib/arena.h"

/* "PREFIX-NAME", with "SET." before the name for any set but the default one, if that fits an
 * interface name (IFNAMSIZ); otherwise PREFIX and a hash of set and name. */
const char *derived_name(struct arena *arena, const char *prefix, const char *set,
			 const char *name);

#endif
