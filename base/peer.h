/* Who is at the other end of a unix socket: anybody on a host can bind an abstract one, or connect
 * to it. */
#ifndef BASE_PEER_H
#define BASE_PEER_H

#include <stdbool.h>
#include <sys/socket.h>

/* Who called connect(2) on the other end, or listen(2) where `fd` is what connected (SO_PEERCRED,
 * unix(7)). False: the kernel does not tell. */
bool peer_of(int fd, struct ucred *ret_peer);

/* Milliseconds that connect(2) waits at most where the queue of who listens is full, which is else
 * for good: EAGAIN then. Holds for what is sent later, too. */
void peer_patience(int fd, unsigned milliseconds);

/* Whether that is root, or who runs us, as seen in our user namespace. */
bool peer_trusted(const struct ucred *peer);

#endif
