/* `apply --confirm`: who says that it shall stay. */
#ifndef CMD_CONFIRM_SOCKET_H
#define CMD_CONFIRM_SOCKET_H

#include "lib/error.h"

#include <stdbool.h>

/* The socket on which `mvapply confirm` is heard: an abstract one, which belongs to the network
 * namespace and vanishes with its process. Returns a descriptor, or -EALREADY where an apply waits
 * already, -EBUSY where somebody else has the name, or another negative errno. */
int confirm_listen(struct error *error);

/* Whether an apply waits; 0, or -EALREADY with what to do. */
int confirm_check(struct error *error);

/* Who connects learns from the kernel which process listens: after fork(2), the one that calls
 * this. Returns 0 or a negative errno. */
int confirm_take_over(int listener);

/* Takes a connection, and whether it confirms: it asks, and is trusted (lib/unix_peer.h). Returns
 * the connection, or a negative errno. */
int confirm_accept(int listener, bool *ret_allowed);

/* The client's end: a socket (a negative errno with `error`), and its connection to the process
 * that listens. The name may be another's, whose queue may be full: that fails after 200 ms.
 * Returns 0, or -1 with errno. */
int confirm_socket(struct error *error);
int confirm_guard_connect(int fd);

#endif
