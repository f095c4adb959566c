/* Which addresses are in use, and by whom, within broadcast domains that a number names. */
#ifndef RECONCILE_PLAN_ADDRESS_SET_H
#define RECONCILE_PLAN_ADDRESS_SET_H

#include "lib/arena.h"
#include "lib/ip.h"

struct taken;

/* Room for so many at once; it grows beyond. */
struct taken *taken_new(struct arena *arena, size_t expected);

/* Who has the address, as taken_add was told, or NULL. */
const void *taken_by(const struct taken *taken, size_t domain, const struct ip *ip);

/* Notes an address and returns NULL; or returns the first owner, who stays. `owner` is not NULL. */
const void *taken_add(struct taken *taken, size_t domain, const struct ip *ip, const void *owner);

#endif
