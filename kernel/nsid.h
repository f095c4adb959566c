/* The nsid of one network namespace in another (RTM_GETNSID, RTM_NEWNSID). */
#ifndef KERNEL_NSID_H
#define KERNEL_NSID_H

#include "kernel/netlink.h"

/* What number the namespace of the descriptor has in the one that the socket is in; -1: none. */
int nsid_get(struct netlink *netlink, int fd, int *ret, struct error *error);
/* The same, and gives it one where it has none. */
int nsid_ensure(struct netlink *netlink, int fd, int *ret, struct error *error);

/* Whether a namespace has the number and is not being dismantled (get_net_ns_by_id); true where the
 * kernel does not say (before 4.20). */
bool nsid_lives(struct netlink *netlink, int nsid);

#endif
