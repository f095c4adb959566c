/* Closing a packet socket waits for an RCU grace period of the kernel, 8 to 16 ms (packet_release).
 * With these functions another thread or process waits. */
#ifndef KERNEL_PACKET_CLOSE_H
#define KERNEL_PACKET_CLOSE_H

#include <stdbool.h>
#include <stddef.h>

#define PACKET_SOCKETS_MAX 64

/* Sockets that are no longer used, which are owned by it. Zero-initialise it. */
struct packet_sockets {
	int fds[PACKET_SOCKETS_MAX];
	size_t count;
};

/* Takes the socket; a negative one is ignored. One too many is closed here, which waits. */
void packet_sockets_add(struct packet_sockets *sockets, int fd);

/* Closes them all without waiting. With `process_ends`, another process closes them, after the
 * calling thread has ended: a process that ends waits for its threads. Otherwise a thread does. */
void packet_sockets_close(struct packet_sockets *sockets, bool process_ends);

#endif
