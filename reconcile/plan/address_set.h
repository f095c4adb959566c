/* The addresses in use and their holders, by broadcast domain (a number). */
#ifndef RECONCILE_PLAN_ADDRESS_SET_H
#define RECONCILE_PLAN_ADDRESS_SET_H

#include "lib/arena.h"
#include "lib/ip.h"

struct address_set;

/* Room for that many addresses; it grows as needed. */
struct address_set *address_set_new(struct arena *arena, size_t expected);

/* The holder of the address, as passed to address_set_add, or NULL. */
const void *address_set_holder(const struct address_set *in_use, size_t domain,
			       const struct ip *ip);

/* Adds an address and its owner, and returns NULL; if the address exists, returns its owner, which
 * is kept. `owner` is not NULL. */
const void *address_set_add(struct address_set *in_use, size_t domain, const struct ip *ip,
			    const void *owner);

#endif
