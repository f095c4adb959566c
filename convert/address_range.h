/* Converts address ranges of other programs, with first and last address and exceptions, to the
 * block `ip_range` and aux addresses. */
#ifndef CONVERT_ADDRESS_RANGE_H
#define CONVERT_ADDRESS_RANGE_H

#include "convert/yaml_tree.h"
#include "schema/model.h"

#include <jansson.h>

/* The first and the last host address of the subnet. */
void range_usable(const struct prefix *subnet, struct ip *first, struct ip *last);

/* Sets the subnet's ip_range to the largest block in first..last without the blocks in `exclude`, a
 * list of prefixes and addresses or NULL; single addresses of it become aux addresses. Lost
 * addresses are a comment on `map`; a range without usable addresses is a key to edit. */
void range_to_block(struct tree *map, struct subnet *subnet, struct ip first, struct ip last,
		    const json_t *exclude);

/* Reserves a router's address: the subnet's gateway is removed from its aux addresses, and any
 * other router is added to them. */
void subnet_reserve_router(struct tree *map, struct subnet *subnet, const struct ip *router);

#endif
