/* Finds namespaces that are no container's any more. A process, a mount or a descriptor can keep
 * such a namespace, and its links keep their addresses and MACs. */
#ifndef RECONCILE_OBSERVE_NETNS_UNNAMED_H
#define RECONCILE_OBSERVE_NETNS_UNNAMED_H

#include "reconcile/state/state.h"

#include <sys/stat.h>

struct netlink;

/* Opens those of them that can be found, and names them after the path. `own` is the host's
 * namespace and `netlink` a socket in it. Sorts the array. */
void unnamed_open(struct live_ns **namespaces, size_t count, const struct stat *own,
		  struct netlink *netlink);

#endif
