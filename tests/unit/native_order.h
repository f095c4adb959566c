/* Recorded rtnetlink messages in the byte order of this machine. */
#ifndef TESTS_UNIT_NATIVE_ORDER_H
#define TESTS_UNIT_NATIVE_ORDER_H

#include <linux/netlink.h>
#include <stddef.h>
#include <stdint.h>

/* Changes a message of a little-endian kernel (links, IPv4 and IPv6 addresses and routes) to one of
 * this machine's kernel, in place; no change on a little-endian machine. Attributes that have no
 * row stay as they are: their bytes are the same everywhere (addresses, names), or not read. */
void native_order(uint8_t *message, size_t size);

#endif
