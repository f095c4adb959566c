#include "kernel/packet.h"

#include <arpa/inet.h>
#include <linux/if_arp.h>
#include <linux/if_ether.h>
#include <string.h>

#define MAC_SIZE    6
#define IPV6_HEADER 40

static uint8_t *put(uint8_t *to, const void *bytes, size_t size)
{
	memcpy(to, bytes, size);
	return to + size;
}

static uint8_t *put16(uint8_t *to, uint16_t value)
{
	to[0] = (uint8_t)(value >> 8);
	to[1] = (uint8_t)value;
	return to + 2;
}

static uint8_t *put_ethernet(uint8_t *to, const uint8_t target[MAC_SIZE], const struct mac *source,
			     uint16_t type)
{
	to = put(to, target, MAC_SIZE);
	to = put(to, source->bytes, MAC_SIZE);
	return put16(to, type);
}

void frame_arp(uint8_t frame[FRAME_ARP_SIZE], const struct mac *mac, const struct ip *sender,
	       const struct ip *target)
{
	static const uint8_t all[MAC_SIZE] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
	static const uint8_t unknown[MAC_SIZE] = {0};
	uint8_t *to = put_ethernet(frame, all, mac, ETH_P_ARP);
	to = put16(to, ARPHRD_ETHER);
	to = put16(to, ETH_P_IP);
	*to++ = MAC_SIZE;
	*to++ = 4;
	to = put16(to, ARPOP_REQUEST);
	to = put(to, mac->bytes, MAC_SIZE);
	to = put(to, sender ? sender->bytes : unknown, 4);
	to = put(to, unknown, MAC_SIZE);
	put(to, target->bytes, 4);
}

static uint32_t sum16(uint32_t sum, const uint8_t *bytes, size_t size)
{
	for (size_t i = 0; i < size; i += 2)
		sum += (uint32_t)bytes[i] << 8 | bytes[i + 1];
	return sum;
}

/* RFC 8200 8.1: the checksum covers the pseudo-header and the message. */
static uint16_t icmpv6_checksum(const uint8_t *ipv6, size_t size)
{
	uint32_t sum = (uint32_t)size + IPPROTO_ICMPV6;
	sum = sum16(sum, ipv6 + 8, 32); /* source, destination */
	sum = sum16(sum, ipv6 + IPV6_HEADER, size);
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

void frame_icmpv6(uint8_t *frame, const uint8_t to_mac[6], const struct mac *mac,
		  const struct ip *from, const uint8_t to[16], const uint8_t *body, size_t size)
{
	static const uint8_t version[4] = {0x60, 0, 0, 0};
	static const uint8_t unspecified[16] = {0};
	uint8_t *ipv6 = put_ethernet(frame, to_mac, mac, ETH_P_IPV6);
	uint8_t *at = put(ipv6, version, sizeof(version));
	at = put16(at, (uint16_t)size);
	*at++ = IPPROTO_ICMPV6;
	*at++ = 255;
	at = put(at, from ? from->bytes : unspecified, 16);
	at = put(at, to, 16);
	put(at, body, size);
	put16(ipv6 + IPV6_HEADER + 2, icmpv6_checksum(ipv6, size));
}
