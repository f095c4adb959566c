/* The unix socket on which `mvapply confirm` confirms a waiting `apply --confirm`. */
#ifndef CMD_CONFIRM_SOCKET_H
#define CMD_CONFIRM_SOCKET_H

#include "lib/error.h"
#include "lib/unix_peer.h"

#include <stdbool.h>

/* Listens for `mvapply confirm` on an abstract unix socket, which belongs to the network namespace
 * and vanishes with its process. Its name is @mvapply-confirm. Any process can bind that name
 * without a capability; then the name is @mvapply-confirm- and a random number. The client finds it
 * in /proc/self/net/unix and connects to trusted processes only (lib/unix_peer.h). Rejected:
 * numbers from 1, which can be bound by others as well; a file, as a network namespace has no
 * folder of its own. Returns a descriptor, or -EALREADY if an apply is waiting already, or another
 * negative errno. */
int confirm_listen(struct error *error);

/* Returns 0 if no apply is waiting for its confirmation, else -EALREADY with a hint. */
int confirm_check(struct error *error);

/* Makes this process the listener for SO_PEERCRED: after fork(2), clients see the process that
 * calls this. Returns 0 or a negative errno. */
int confirm_take_over(int listener);

/* Accepts a connection. *ret_allowed: it requests a confirmation, and its process is trusted
 * (lib/unix_peer.h). Returns the connection, or a negative errno. */
int confirm_accept(int listener, bool *ret_allowed);

/* Connects to the confirm guard of a waiting apply; waits up to 200 ms for a full queue. Returns
 * the connection; or -EPERM if only untrusted processes have such names, one of which is
 * *ret_other; or another negative errno. */
int confirm_guard_connect(struct peer *ret_other);

#endif
