/* The nsid of one network namespace in another (RTM_GETNSID, RTM_NEWNSID). */
#ifndef KERNEL_NSID_H
#define KERNEL_NSID_H

#include "kernel/netlink.h"

/* The nsid of the descriptor's namespace in the namespace of the socket; -1: none. */
int nsid_get(struct netlink *netlink, int fd, int *ret, struct error *error);
/* Assigns an nsid if there is none. The kernel walks all nsids of the socket's namespace for each
 * of these requests. */
int nsid_assign(struct netlink *netlink, int fd, struct error *error);
/* Both. */
int nsid_ensure(struct netlink *netlink, int fd, int *ret, struct error *error);

/* Whether a namespace has the nsid and is not being dismantled (get_net_ns_by_id); true if the
 * kernel does not report it (before 4.20). */
bool nsid_in_use(struct netlink *netlink, int nsid);

#endif
