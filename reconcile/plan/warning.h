/* Warnings of a plan, as data. One function formats them. Pure. */
#ifndef RECONCILE_PLAN_WARNING_H
#define RECONCILE_PLAN_WARNING_H

#include "lib/arena.h"

/* With the objects that each has, in this order. */
enum warning_kind {
	WARNING_PARENT_DOWN,       /* parent */
	WARNING_PARENT_NO_CARRIER, /* parent */
	WARNING_ADDRESS_CLAIMED,   /* unmanaged link, address, attachment */
	WARNING_ADDRESSES_CLAIMED, /* the same, and how many more */
	WARNING_SECOND_LINK,       /* namespace, link, the other's set, the other */
	WARNING_TWO_LINKS,         /* namespace, parent, link, its set, link, its set */
	WARNING_ROUTE_KEPT,        /* container, owner of the route, network, its gateway */
	WARNING_ROUTE_KEPT_VIA,    /* the same, and the gateway of the route */
	WARNING_UNREACHABLE,       /* container, network, address, the network that has it */
	WARNING_NOTHING_HERE,      /* host */
	WARNING_LOOKUP,            /* container, note of its lookup */
	WARNING_SET_LEFT,          /* set, network */
	WARNING_LEASE_RUNS_OUT,    /* how many: 1 */
	WARNING_LEASES_RUN_OUT,    /* how many */
};

#define WARNING_OBJECTS_MAX 6

struct warning {
	enum warning_kind kind;
	const char *objects[WARNING_OBJECTS_MAX];
};

/* What to do about a set that is live and that no files name, in the arena. */
const char *left_set_remedy(const char *set, struct arena *arena);

/* A sentence without a full stop, in the arena; 511 bytes of it at most. */
const char *warning_text(const struct warning *warning, struct arena *arena);
/* One of each. */
const char **warnings_text(const struct warning *warnings, size_t count, struct arena *arena);

#endif
