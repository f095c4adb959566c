/* Messages of a unix socket with descriptors (SCM_RIGHTS, unix(7)). */
#ifndef LIB_FD_MESSAGE_H
#define LIB_FD_MESSAGE_H

#include <stddef.h>
#include <sys/types.h>

#define FD_MESSAGE_MAX 2

/* Sends the bytes with at most FD_MESSAGE_MAX descriptors, which stay the caller's. `flags`:
 * MSG_DONTWAIT or 0. Returns the number of bytes, or -1 with errno. */
ssize_t fd_message_send(int socket, const void *bytes, size_t size, const int *fds, size_t n_fds,
			int flags);

/* Receives a message of a SOCK_SEQPACKET. All of `fds` are set: those that it lacks are -1; any
 * more are closed. The caller closes them, also those of an empty message, for which 0 is returned
 * as at the end of the connection. Returns the number of bytes, or -1 with errno. */
ssize_t fd_message_receive(int socket, void *bytes, size_t size, int *fds, size_t n_fds);

#endif
