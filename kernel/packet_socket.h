/* Packet sockets (packet(7)) that receive through one link. */
#ifndef KERNEL_PACKET_SOCKET_H
#define KERNEL_PACKET_SOCKET_H

#include "lib/ip.h"

#include <linux/filter.h>
#include <stdint.h>

/* A non-blocking socket that is bound to a link of the thread's namespace, for frames with this
 * EtherType (host byte order) that pass the filter: nothing is received before the filter is
 * attached. *ret_mac is the link's MAC address. Returns the descriptor, which the caller closes, or
 * a negative errno: -EAFNOSUPPORT if the link has no Ethernet address. */
int packet_socket_open(int ifindex, uint16_t protocol, const struct sock_fprog *filter,
		       struct mac *ret_mac);

#endif
