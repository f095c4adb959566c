/* The end of policy routing in a namespace whose link is deleted without a plan. */
#ifndef CMD_ATTACH_NETNS_POLICY_H
#define CMD_ATTACH_NETNS_POLICY_H

#include "kernel/netlink.h"

/* Deletes the rules, and the routes by other links, that lead to the link's default routes: the
 * kernel deletes only routes by the link itself. `fd` is the namespace, `host` the thread's own
 * one, and the socket belongs to the namespace. The thread is in the namespace afterwards. Returns
 * 0 or a negative errno. */
int netns_policy_delete(int fd, int host, struct netlink *netlink, int ifindex,
			struct error *error);

#endif
