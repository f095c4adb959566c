/* Declarations shared by snapshot.c (reads) and restore.c (writes). Users include snapshot.h. */
#ifndef RECONCILE_ROLLBACK_SNAPSHOT_INTERNAL_H
#define RECONCILE_ROLLBACK_SNAPSHOT_INTERNAL_H

#include "kernel/netlink.h"
#include "kernel/rtnl_message.h"
#include "lib/arena.h"

#include <linux/rtnetlink.h>

/* A request that recreates a listed object. */
struct raw_message {
	struct nlmsghdr *request;
	size_t same; /* the leading bytes that do not change: without lifetimes */
};

struct snapshot {
	struct raw_message *addrs, *routes, *neighbors;
	size_t n_addrs, n_routes, n_neighbors;
};

/* Whether both add the same object, whatever its lifetimes are. */
bool raw_message_equal(const struct raw_message *a, const struct raw_message *b);

/* The attribute of a message with a fixed header of that size, or NULL. */
const struct nlattr *attr_find(const struct nlmsghdr *message, size_t header, uint16_t type);
/* Whether both have an equal attribute, or neither has one. */
bool attr_equal(const struct nlmsghdr *a, const struct nlmsghdr *b, size_t header, uint16_t type);

/* Keeps the request in the arena. */
struct raw_message raw_message_keep(struct arena *arena, const union message *request, size_t same);

/* The message without the attributes of that type, after a fixed header of that size; in the arena.
 * False: it has no room. */
bool raw_message_without(struct arena *arena, const struct raw_message *raw, size_t header,
			 uint16_t type, struct raw_message *ret);

/* The header of a listed route; NULL: the message is none, or a cached route. */
const struct rtmsg *route_listed(const struct nlmsghdr *message);

/* Makes the request that adds the listed route again, in the arena. A next hop object is deleted
 * with its link: the request has its content. With ifindex 0, it has the number of the object.
 * Returns whether the route leads through that link (0: any or none), and the request is whole. */
bool route_request(struct arena *arena, const struct nlmsghdr *message, int ifindex,
		   struct raw_message *ret);

/* Adds the link's current objects, in the arena. Returns 0 or a negative errno. */
typedef int snapshot_reader(struct netlink *netlink, struct arena *arena, int ifindex,
			    struct snapshot *ret, struct error *error);
snapshot_reader snapshot_addrs_read, snapshot_routes_read;
/* All routes of the namespace; the ifindex is not used (other_routes.c). */
snapshot_reader namespace_routes_read;

#endif
