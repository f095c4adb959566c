/* Converts address ranges of other programs to `ip_range`, `exclude` and aux addresses. */
#ifndef CONVERT_ADDRESS_RANGE_H
#define CONVERT_ADDRESS_RANGE_H

#include "convert/yaml_tree.h"
#include "schema/model.h"

#include <jansson.h>

/* The first and the last host address of the subnet. */
void range_usable(const struct prefix *subnet, struct ip *first, struct ip *last);

/* Adds first..last to the subnet's ip_range unless it is the whole subnet, and `exclude`, a list of
 * addresses, prefixes and FIRST-LAST, or NULL, to its `exclude`. An invalid range and one without
 * addresses are keys to edit. */
void subnet_range_add(struct tree *map, struct subnet *subnet, struct ip first, struct ip last,
		      const json_t *exclude);

/* Reserves a router's address: the subnet's gateway is removed from its aux addresses, and any
 * other router is added to them. */
void subnet_reserve_router(struct tree *map, struct subnet *subnet, const struct ip *router);

#endif
