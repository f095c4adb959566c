/* Sockets of NETLINK_ROUTE: dumps, single requests, and batches of requests. rtnl_decode.h and
 * rtnl_encode.h read and write the messages. A socket belongs to the network namespace in which it
 * was opened. */
#ifndef KERNEL_NETLINK_H
#define KERNEL_NETLINK_H

#include "lib/error.h"

#include <libmnl/libmnl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct netlink;

/* In the network namespace of the thread. */
struct netlink *netlink_open(struct error *error);
/* The same for NETLINK_SOCK_DIAG, whose dumps list sockets. */
struct netlink *netlink_open_diag(struct error *error);
void netlink_close(struct netlink *netlink);
/* The cookie of the socket's network namespace (SO_NETNS_COOKIE), unique since boot, unlike inodes.
 * 0: not supported by the kernel (before 5.14). */
uint64_t netlink_cookie(const struct netlink *netlink);

/* A negative return value ends the iteration and is returned to the caller; the callback sets the
 * error. */
typedef int netlink_each(const struct nlmsghdr *message, void *data, struct error *error);

/* Sends a dump request, and calls `each` for its messages once all of them were received. A dump
 * that the kernel interrupted, or that lost messages, is repeated a few times. */
int netlink_dump(struct netlink *netlink, struct nlmsghdr *request, netlink_each *each, void *data,
		 struct error *error);
/* The same, with a single request in front of it in the same datagram: its answer is passed first,
 * and an error as its answer is ignored. */
int netlink_dump_after(struct netlink *netlink, struct nlmsghdr *first, struct nlmsghdr *request,
		       netlink_each *each, void *data, struct error *error);

/* Sets the limit in bytes for all following dumps. A longer dump is passed to `each` as far as it
 * was read, and fails with -E2BIG; the socket must then be closed, since unread replies remain in
 * it. */
void netlink_limit(struct netlink *netlink, size_t bytes);

/* Sends one request. The kernel replies with one message (passed to `each`) or with an error. */
int netlink_request(struct netlink *netlink, struct nlmsghdr *request, netlink_each *each,
		    void *data, struct error *error);

/* The kernel's reply to one request. */
struct reply {
	int errnum;     /* 0: done; positive: the kernel's errno */
	char text[120]; /* the kernel's extended-ack text, or "" */
};

/* Requests that are sent in as few datagrams as possible. The kernel processes a datagram
 * completely, even if its sender dies meanwhile or some messages fail. */
struct batch;

struct batch *batch_new(void);
void batch_free(struct batch *batch);
void batch_cleanup(struct batch **batch);

/* Copies the request and returns its number in the batch. `together`: in the same datagram as the
 * previous request (for a few messages). */
size_t batch_add(struct batch *batch, const struct nlmsghdr *request, bool together);
/* Adds a request that could not be encoded: it is not sent, and this is its reply. */
size_t batch_add_refused(struct batch *batch, int errnum, const char *text);
size_t batch_count(const struct batch *batch);

/* Sends all requests and waits for every reply. Fails only if the socket fails; then each
 * unanswered request has the reply EIO. */
int batch_send(struct netlink *netlink, struct batch *batch, struct error *error);
const struct reply *batch_reply(const struct batch *batch, size_t number);

/* Decodes an NLMSG_ERROR message; false if it is malformed. Pure. */
bool reply_decode(const struct nlmsghdr *message, struct reply *ret);

#endif
