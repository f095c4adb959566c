/* Encodes address probes and decodes their replies. Pure. */
#ifndef KERNEL_PROBE_PACKET_H
#define KERNEL_PROBE_PACKET_H

#include "kernel/packet.h"

#include <stdbool.h>

#define PROBE_FRAME_MAX FRAME_ICMPV6_SIZE(24)

/* Writes an ARP probe (RFC 5227 2.1.1) or a neighbour solicitation from the unspecified address
 * (RFC 4862 5.4.2). Returns its size. */
size_t probe_frame(uint8_t frame[PROBE_FRAME_MAX], const struct mac *mac, const struct ip *ip);

/* Whether a frame shows that somebody has an address, or is probing for it likewise: the address
 * and the sender. */
bool probe_frame_claim(const uint8_t *frame, size_t size, struct ip *ret_ip, struct mac *ret_mac);

#endif
