/* NETLINK_ROUTE sockets: dumps, single requests, and batches of requests. rtnl_decode.h and
 * rtnl_encode.h read and write the messages. A socket stays in the network namespace that it was
 * opened in. */
#ifndef KERNEL_NETLINK_H
#define KERNEL_NETLINK_H

#include "lib/error.h"

#include <libmnl/libmnl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct netlink;

/* In the network namespace that the thread is in now. */
struct netlink *netlink_open(struct error *error);
void netlink_close(struct netlink *netlink);
/* The cookie of the socket's network namespace (SO_NETNS_COOKIE), unique since boot; inodes are
 * reused. 0: the kernel does not have it (before 5.14). */
uint64_t netlink_cookie(const struct netlink *netlink);

/* Negative ends the walk and is what the caller gets; the error is the callback's to set. */
typedef int netlink_each(const struct nlmsghdr *message, void *data, struct error *error);

/* Sends a dump request and calls `each` for its messages once all of them are there. A dump that
 * the kernel interrupted, or whose messages were lost, is repeated a few times. */
int netlink_dump(struct netlink *netlink, struct nlmsghdr *request, netlink_each *each, void *data,
		 struct error *error);

/* Dumps are read up to so many bytes from now on. One that is longer is given to `each` as far as
 * it was read, and fails with -E2BIG; then the socket is of no more use, as the rest of it waits.
 */
void netlink_limit(struct netlink *netlink, size_t bytes);

/* Sends one request, which the kernel answers by one message (given to `each`) or by an error. */
int netlink_request(struct netlink *netlink, struct nlmsghdr *request, netlink_each *each,
		    void *data, struct error *error);

/* The kernel's reply to one request. */
struct reply {
	int errnum;     /* 0: done; positive: the kernel's errno */
	char text[120]; /* the kernel's own words, or "" */
};

/* Requests that are sent in as few datagrams as fit. The kernel works through a datagram whole,
 * also when its sender dies meanwhile, and past messages that fail. */
struct batch;

struct batch *batch_new(void);
void batch_free(struct batch *batch);
void batch_cleanup(struct batch **batch);

/* Copies the request and gives its number in the batch. `together`: in the same datagram as the
 * one before (for a few messages). */
size_t batch_add(struct batch *batch, const struct nlmsghdr *request, bool together);
/* Adds a request that could not be encoded: it is not sent, and has this reply. */
size_t batch_add_refused(struct batch *batch, int errnum, const char *text);
size_t batch_count(const struct batch *batch);

/* Sends all and waits for every reply. Fails only if the socket does. Then each request that the
 * kernel did not answer has the reply EIO. */
int batch_send(struct netlink *netlink, struct batch *batch, struct error *error);
const struct reply *batch_reply(const struct batch *batch, size_t number);

/* What an NLMSG_ERROR message says; false if it is malformed. Pure. */
bool reply_decode(const struct nlmsghdr *message, struct reply *ret);

#endif
