/* What netlink.c and netlink_batch.c share: decoding the kernel's errors. */
#ifndef KERNEL_NETLINK_INTERNAL_H
#define KERNEL_NETLINK_INTERNAL_H

#include "lib/error.h"

struct reply;

/* An error as messages have it, negative: its errno. What is none is taken for one in the protocol.
 */
int netlink_errnum(int said);
int reply_error(const struct reply *reply, struct error *error);

#endif
