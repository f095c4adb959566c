/* A lock of a network namespace that only a process with CAP_NET_ADMIN over it can take: a netlink
 * socket that has joined multicast groups of NETLINK_USERSOCK, which requires that capability
 * (netlink_bind in net/netlink/af_netlink.c, as NL_CFG_F_NONROOT_RECV is not set). Nothing is sent.
 * The kernel releases the lock when the process ends.
 *
 * Rejected: flock(2) on a file of /proc/sys/net, as user 0 can open it without a capability
 * (test_perm in fs/proc/proc_sysctl.c). */
#ifndef KERNEL_NETLINK_LOCK_H
#define KERNEL_NETLINK_LOCK_H

#include "lib/error.h"

#include <sys/types.h>

/* Takes the lock if it is free. Returns a descriptor; closing it releases the lock. -EAGAIN:
 * another process has the lock, and *ret_holder is its netlink port, usually its process id. Or
 * another negative errno: -EPERM without the capability, -ENOENT with neither netlink_diag nor
 * /proc/net. Two processes that try at the same time may both fail with -EAGAIN. */
int netlink_lock_try(pid_t *ret_holder);

#endif
