/* The IPv4 addresses of a network namespace. */
#ifndef KERNEL_NETNS_IPV4_H
#define KERNEL_NETNS_IPV4_H

#include "lib/ip.h"

typedef void netns_ipv4_each(void *data, const struct ip *ip);

/* Calls `each` for each address, on whichever link, up or down. The thread is in the descriptor's
 * namespace afterwards (netns_return). Returns 0, or a negative errno: addresses may be missing. */
int netns_ipv4_read(int fd, netns_ipv4_each *each, void *data);

#endif
