/* Unix sockets with abstract names (unix(7)). A name vanishes with its socket, each network
 * namespace has names of its own, and any process can bind one (lib/unix_peer.h). */
#ifndef LIB_ABSTRACT_SOCKET_H
#define LIB_ABSTRACT_SOCKET_H

#include <stddef.h>
#include <sys/socket.h>
#include <sys/un.h>

/* The size of a name's text with its terminator. The kernel's name has a leading NUL, and no
 * terminator. */
#define ABSTRACT_NAME_SIZE (sizeof(((struct sockaddr_un *)0)->sun_path) - 1)

/* Returns the size of the address. The name is shorter than ABSTRACT_NAME_SIZE. */
socklen_t abstract_address(const char *name, struct sockaddr_un *ret);

/* Connects. `type` may contain SOCK_NONBLOCK. The limit in milliseconds, 0 for none, is that of
 * connect(2) while the listener's queue is full, and of each later message. Returns a descriptor,
 * or a negative errno: -ECONNREFUSED if no process listens, -EAGAIN after the limit. */
int abstract_connect(const char *name, int type, unsigned milliseconds);

/* Binds the name and listens. Returns a descriptor, or a negative errno: -EADDRINUSE. */
int abstract_listen(const char *name, int type);

/* The size of a message that is received. Its sender needs a buffer for it (SO_SNDBUF). */
#define ABSTRACT_MESSAGE_MAX (1 << 20)

/* Receives one message of a SOCK_SEQPACKET with a terminator behind it.
 * Returns its size, or 0: there is none, and *ret is NULL. The caller frees *ret. */
size_t abstract_receive(int fd, char **ret);

#endif
