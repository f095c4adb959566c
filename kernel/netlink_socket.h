/* The socket of netlink.h, shared by dumps, single requests and batches. */
#ifndef KERNEL_NETLINK_SOCKET_H
#define KERNEL_NETLINK_SOCKET_H

#include "lib/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct netlink {
	int fd;
	uint32_t seq;   /* of the last request */
	uint32_t first; /* of the first request that was sent with it, for a dump */
	bool worded;    /* the kernel adds texts to its errors (extended acks) */
	size_t most;    /* limit of a dump in bytes; 0: none */
	size_t room;    /* for a datagram of a dump, or a reply */
};

/* The highest number of datagrams that one system call receives. */
#define DATAGRAMS_MAX 8

struct datagram {
	char *bytes; /* aligned for a struct nlmsghdr */
	size_t room, size;
};

/* Opens a socket of the protocol that is connected to the kernel, in the thread's network
 * namespace. Returns the descriptor, which the caller closes, or a negative errno. */
int netlink_socket(int protocol, struct error *error);

/* Enables extended acks (4.12 and later). */
void netlink_enable_ext_ack(struct netlink *netlink);

int netlink_send(struct netlink *netlink, const void *bytes, size_t size, struct error *error);

/* Waits up to 5 s for the kernel, and receives up to `count` datagrams of complete messages.
 * Datagrams of other processes are skipped, whatever their length. Returns the number, or a
 * negative errno: -ENOBUFS if some were lost, -EMSGSIZE if one is longer than its room; its `size`
 * is then the required length. */
int netlink_receive(struct netlink *netlink, struct datagram *datagrams, unsigned count,
		    struct error *error);

/* Sets the error of a malformed reply. Returns -EBADMSG. */
int netlink_malformed(struct error *error);

#endif
