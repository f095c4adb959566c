/* Declarations shared by snapshot.c (reads) and restore.c (writes). Users include snapshot.h. */
#ifndef RECONCILE_ROLLBACK_SNAPSHOT_INTERNAL_H
#define RECONCILE_ROLLBACK_SNAPSHOT_INTERNAL_H

#include "kernel/netlink.h"
#include "lib/arena.h"

/* A request that recreates a listed object. */
struct raw_message {
	struct nlmsghdr *request;
	size_t same; /* the leading bytes that do not change: without lifetimes */
};

struct snapshot {
	struct raw_message *addrs, *routes, *neighbors;
	size_t n_addrs, n_routes, n_neighbors;
};

/* The attribute of a message with a fixed header of that size, or NULL. */
const struct nlattr *attr_find(const struct nlmsghdr *message, size_t header, uint16_t type);
/* Whether both have an equal attribute, or neither has one. */
bool attr_equal(const struct nlmsghdr *a, const struct nlmsghdr *b, size_t header, uint16_t type);

/* Adds the link's current objects, in the arena. Returns 0 or a negative errno. */
typedef int snapshot_reader(struct netlink *netlink, struct arena *arena, int ifindex,
			    struct snapshot *ret, struct error *error);
snapshot_reader snapshot_addrs_read, snapshot_routes_read;

#endif
