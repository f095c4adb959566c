/* Encodes address probes and questions for an address, and decodes their replies. Pure. */
#ifndef KERNEL_PROBE_PACKET_H
#define KERNEL_PROBE_PACKET_H

#include "kernel/packet.h"

#include <stdbool.h>

#define PROBE_FRAME_MAX    FRAME_ICMPV6_SIZE(24)
#define QUESTION_FRAME_MAX FRAME_ICMPV6_SIZE(32)

/* Writes an ARP probe (RFC 5227 2.1.1) or a neighbour solicitation from the unspecified address
 * (RFC 4862 5.4.2). Returns its size. */
size_t probe_frame(uint8_t frame[PROBE_FRAME_MAX], const struct mac *mac, const struct ip *ip);

/* Whether a frame shows that another host has an address, or probes for it: sets the address and
 * the sender. */
bool probe_frame_claim(const uint8_t *frame, size_t size, struct ip *ret_ip, struct mac *ret_mac);

/* Writes an ARP request (RFC 826) or a neighbour solicitation (RFC 4861 7.2.2) as any host sends it
 * that has the address `source`. Of IPv4, `source` may be 0.0.0.0: then it is an ARP probe. `to`:
 * an ARP request is sent to this MAC alone (RFC 1122 2.3.2.1); set false: to all. A solicitation is
 * sent to the group of `target` in any case. Returns its size. */
size_t question_frame(uint8_t frame[QUESTION_FRAME_MAX], const struct mac *mac,
		      const struct ip *source, const struct ip *target, const struct mac *to);

/* Whether a frame is a reply to such a question: sets the address, its MAC, and the address of the
 * requester. Announcements, requests and probes are not replies. */
bool answer_frame_decode(const uint8_t *frame, size_t size, struct ip *ret_ip, struct mac *ret_mac,
			 struct ip *ret_source);

#endif
