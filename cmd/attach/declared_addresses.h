/* The addresses that the files give to containers, attached or not. */
#ifndef CMD_ATTACH_DECLARED_ADDRESSES_H
#define CMD_ATTACH_DECLARED_ADDRESSES_H

#include "reconcile/plan/plan_options.h"
#include "schema/model.h"

/* Adds those in the prefix, except the guest's; NULL: of all containers. The array is in the arena.
 * False: a container may get an address of the prefix that is chosen, before a guest. */
bool declared_addresses_find(const struct desired *desired, const struct container *guest,
			     const struct prefix *prefix, struct arena *arena,
			     struct other_addresses *others);

#endif
