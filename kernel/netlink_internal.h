/* Declarations shared by netlink.c and netlink_batch.c: decodes the kernel's errors. */
#ifndef KERNEL_NETLINK_INTERNAL_H
#define KERNEL_NETLINK_INTERNAL_H

/* The errno of a netlink error, which is negative in messages. Any other value counts as a protocol
 * error. */
int netlink_errnum(int number);

#endif
