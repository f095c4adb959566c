/* Ranges of addresses as others write them, from one address to another and with exceptions, as the
 * block `ip_range` and as aux addresses. */
#ifndef CONVERT_ADDRESS_RANGE_H
#define CONVERT_ADDRESS_RANGE_H

#include "convert/yaml_tree.h"
#include "schema/model.h"

#include <jansson.h>

/* The first and the last address of the subnet that a host can have. */
void range_usable(const struct prefix *subnet, struct ip *first, struct ip *last);

/* Sets the subnet's ip_range to the largest block in first..last without the blocks in `exclude`, a
 * list of prefixes and addresses or NULL; single addresses of it become aux addresses. What is lost
 * is a comment on `map`; a range that no address can come from is a key to edit. */
void range_to_block(struct tree *map, struct subnet *subnet, struct ip first, struct ip last,
		    const json_t *exclude);

/* Keeps a router's address from being given out: the subnet's gateway is taken out of its aux
 * addresses, and a router that is not its gateway becomes one. */
void subnet_reserve_router(struct tree *map, struct subnet *subnet, const struct ip *router);

#endif
