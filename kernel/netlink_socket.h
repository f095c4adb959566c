/* The socket of netlink.h, which dumps, single requests and batches share. */
#ifndef KERNEL_NETLINK_SOCKET_H
#define KERNEL_NETLINK_SOCKET_H

#include "lib/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct netlink {
	int fd;
	uint32_t seq; /* of the last request */
	bool worded;  /* errors come with the kernel's own words */
	size_t most;  /* bytes of a dump that are read; 0: all of them */
	size_t room;  /* for a datagram of a dump, or an answer */
};

/* So many datagrams are received by one system call at most. */
#define DATAGRAMS_MAX 8

struct datagram {
	char *bytes; /* aligned for a struct nlmsghdr */
	size_t room, size;
};

/* A socket that is connected to the kernel, in the network namespace that the thread is in. Returns
 * the descriptor, which the caller closes, or a negative errno. */
int netlink_socket(struct error *error);

/* Errors of the kernel come with its own words from here on, where it has them (4.12). */
void netlink_enable_ext_ack(struct netlink *netlink);

int netlink_send(struct netlink *netlink, const void *bytes, size_t size, struct error *error);

/* Waits until the kernel sends something, for 5 s at most, and takes it: up to `count` datagrams of
 * whole messages, one or more. Those of other processes are skipped, however long they are. Returns
 * how many, or a negative errno: -ENOBUFS when some were lost, -EMSGSIZE when one is longer than
 * its room; that one's size is what it takes. */
int netlink_receive(struct netlink *netlink, struct datagram *datagrams, unsigned count,
		    struct error *error);

/* Says that what came is no answer. Returns -EBADMSG. */
int netlink_malformed(struct error *error);

#endif
