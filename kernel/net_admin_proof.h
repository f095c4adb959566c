/* The proof that a process may change the network: a netlink socket that has joined multicast
 * groups of NETLINK_USERSOCK, which requires CAP_NET_ADMIN over its network namespace (netlink_bind
 * in net/netlink/af_netlink.c), as the lock does (kernel/netlink_lock.h). It is passed over a unix
 * socket (lib/fd_message.h) to a process that may not read the other one's user namespace in /proc:
 * a service without CAP_SYS_PTRACE and with fewer capabilities (cap_ptrace_access_check). Nothing
 * is sent. */
#ifndef KERNEL_NET_ADMIN_PROOF_H
#define KERNEL_NET_ADMIN_PROOF_H

#include <stdbool.h>

/* Returns a descriptor, or a negative errno: -EPERM without the capability. */
int net_admin_proof_open(void);

/* Whether the descriptor is such a socket of this process's network namespace. */
bool net_admin_proof_valid(int fd);

#endif
