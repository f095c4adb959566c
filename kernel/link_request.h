/* Single requests about one link, in the network namespace of the socket. */
#ifndef KERNEL_LINK_REQUEST_H
#define KERNEL_LINK_REQUEST_H

#include "kernel/link.h"
#include "kernel/netlink.h"

/* Reads the link of that name. Strings go to the arena; parent_where is not set. Returns 0, -ENODEV
 * if there is none, or another negative errno. */
int link_find(struct netlink *netlink, const char *name, struct arena *arena, struct live_link *ret,
	      struct error *error);

/* Sends a request that changes something, and waits for the kernel's reply. An error is "WHAT: the
 * kernel's text". Returns 0 or a negative errno. */
int link_request(struct netlink *netlink, const struct nlmsghdr *request, const char *what,
		 struct error *error);

#endif
