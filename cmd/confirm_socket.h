/* The unix socket on which `mvapply confirm` confirms a waiting `apply --confirm`. */
#ifndef CMD_CONFIRM_SOCKET_H
#define CMD_CONFIRM_SOCKET_H

#include "lib/error.h"
#include "lib/unix_peer.h"

#include <stdbool.h>

/* The socket on which `mvapply confirm` is heard: an abstract one, which belongs to the network
 * namespace and vanishes with its process. Its name is @mvapply-confirm. Anybody can take that,
 * without a capability: then it is @mvapply-confirm- and a number that nobody foresees, and who
 * searches for it reads the names in /proc/self/net/unix, and believes a trusted process alone
 * (lib/unix_peer.h). Rejected: numbers from 1, which can be taken as well; a file, as a network
 * namespace has no folder of its own. Returns a descriptor, or -EALREADY where an apply waits
 * already, or another negative errno. */
int confirm_listen(struct error *error);

/* Whether an apply waits; 0, or -EALREADY with what to do. */
int confirm_check(struct error *error);

/* Who connects learns from the kernel which process listens: after fork(2), the one that calls
 * this. Returns 0 or a negative errno. */
int confirm_take_over(int listener);

/* Takes a connection, and whether it confirms: it asks, and is trusted (lib/unix_peer.h). Returns
 * the connection, or a negative errno. */
int confirm_accept(int listener, bool *ret_allowed);

/* The client's end: connects to the confirm guard of an apply that waits, and waits 200 ms where
 * others fill queues. Returns the connection; or -EPERM where there are only names of others, of
 * whom *ret_other is one, or another negative errno. */
int confirm_guard_connect(struct peer *ret_other);

#endif
