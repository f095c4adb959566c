/* Ethernet frames with ARP and neighbour discovery, as bytes. Pure. */
#ifndef KERNEL_PACKET_H
#define KERNEL_PACKET_H

#include "lib/ip.h"

#include <stddef.h>

#define FRAME_ARP_SIZE 42
/* The size of the headers before the body of an ICMPv6 message: Ethernet, IPv6. */
#define FRAME_ICMPV6_SIZE(body) (14 + 40 + (body))

/* RFC 826: a broadcast request for `target`. `sender` NULL: 0.0.0.0, as in a probe. */
void frame_arp(uint8_t frame[FRAME_ARP_SIZE], const struct mac *mac, const struct ip *sender,
	       const struct ip *target);

/* RFC 4861: an ICMPv6 message between link-local hosts: hop limit 255. `body` is the complete
 * message with a checksum of zero, and has an even size. `from` NULL: the unspecified address. */
void frame_icmpv6(uint8_t *frame, const uint8_t to_mac[6], const struct mac *mac,
		  const struct ip *from, const uint8_t to[16], const uint8_t *body, size_t size);

#endif
