/* What snapshot.c (reads) and restore.c (writes) share. Users include snapshot.h. */
#ifndef RECONCILE_ROLLBACK_SNAPSHOT_INTERNAL_H
#define RECONCILE_ROLLBACK_SNAPSHOT_INTERNAL_H

#include "kernel/netlink.h"
#include "lib/arena.h"

/* A request that recreates a listed object. */
struct raw_message {
	struct nlmsghdr *request;
	size_t same; /* bytes of it that are the same as long as it is: without lifetimes */
};

struct snapshot {
	struct raw_message *addrs, *routes;
	size_t n_addrs, n_routes;
};

/* The attribute of a message whose fixed header has that size, or NULL. */
const struct nlattr *attr_find(const struct nlmsghdr *message, size_t header, uint16_t type);
/* Whether both have it alike, or neither has it. */
bool attr_equal(const struct nlmsghdr *a, const struct nlmsghdr *b, size_t header, uint16_t type);

/* Add what the link has now, in the arena. Return 0 or a negative errno. */
typedef int snapshot_reader(struct netlink *netlink, struct arena *arena, int ifindex,
			    struct snapshot *ret, struct error *error);
snapshot_reader snapshot_addrs_read, snapshot_routes_read;

#endif
