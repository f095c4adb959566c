/* Closing a packet socket waits for an RCU grace period of the kernel, 8 to 16 ms (packet_release).
 * With these functions another thread or process waits. */
#ifndef KERNEL_PACKET_CLOSE_H
#define KERNEL_PACKET_CLOSE_H

#include <stdbool.h>
#include <stddef.h>

/* Few: they take descriptors that other work may need. */
#define PACKET_SOCKETS_MAX 16

/* Sockets that are no longer used, which are owned by it. */
struct packet_sockets {
	/* Another process closes them, as this one ends soon: a process that ends waits for its
	 * threads. Otherwise a thread does. */
	bool by_process;
	size_t count;
	int fds[PACKET_SOCKETS_MAX];
};

/* Takes the socket; a negative one is ignored. If there are too many, they are closed. */
void packet_sockets_add(struct packet_sockets *sockets, int fd);

/* Closes them all. Waits only if there can be no other thread or process. */
void packet_sockets_close(struct packet_sockets *sockets);

#endif
