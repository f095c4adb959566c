#include "kernel/probe_packet.h"

#include <linux/if_arp.h>
#include <linux/if_ether.h>
#include <string.h>

#define MAC_SIZE         6
#define SOLICITATION     135
#define ADVERTISEMENT    136
#define NEIGHBOR_SIZE    24 /* of a solicitation or advertisement without options */
#define OPTION_SOURCE    1  /* RFC 4861 4.6.1: source link-layer address */
#define OPTION_TARGET    2  /* and the target's */
#define OPTION_SIZE      8
#define SOLICITED        0x40 /* RFC 4861 4.4 */
#define ETHERNET_HEADER  14
#define IPV6_NEXT_HEADER (ETHERNET_HEADER + 6)
#define IPV6_HOP_LIMIT   (ETHERNET_HEADER + 7)
#define IPV6_SOURCE      (ETHERNET_HEADER + 8)
#define IPV6_DESTINATION (ETHERNET_HEADER + 24)
#define ICMPV6           (ETHERNET_HEADER + 40)

/* `source` NULL: the unspecified address, and then there is no option with a MAC (RFC 4861 4.3). */
static size_t solicitation(uint8_t *frame, const struct mac *mac, const struct ip *source,
			   const struct ip *ip)
{
	const uint8_t *low = ip->bytes + 13;
	/* RFC 4291 2.7.1: the solicited-node address ends with the last bytes of the target. */
	const uint8_t to[16] = {0xff, 0x02, [11] = 1, 0xff, low[0], low[1], low[2]};
	const uint8_t to_mac[MAC_SIZE] = {0x33, 0x33, 0xff, low[0], low[1], low[2]};
	uint8_t body[NEIGHBOR_SIZE + OPTION_SIZE] = {SOLICITATION, [NEIGHBOR_SIZE] = OPTION_SOURCE,
						     [NEIGHBOR_SIZE + 1] = 1};
	const size_t size = source ? sizeof(body) : NEIGHBOR_SIZE;
	memcpy(body + 8, ip->bytes, 16);
	memcpy(body + NEIGHBOR_SIZE + 2, mac->bytes, MAC_SIZE);
	frame_icmpv6(frame, to_mac, mac, source, to, body, size);
	return FRAME_ICMPV6_SIZE(size);
}

size_t probe_frame(uint8_t frame[PROBE_FRAME_MAX], const struct mac *mac, const struct ip *ip)
{
	if (ip->family == AF_INET6)
		return solicitation(frame, mac, NULL, ip);
	frame_arp(frame, mac, NULL, ip);
	return FRAME_ARP_SIZE;
}

size_t question_frame(uint8_t frame[QUESTION_FRAME_MAX], const struct mac *mac,
		      const struct ip *source, const struct ip *target, const struct mac *to)
{
	if (target->family == AF_INET6)
		return solicitation(frame, mac, source, target);
	frame_arp(frame, mac, source, target);
	if (to->set)
		memcpy(frame, to->bytes, MAC_SIZE);
	return FRAME_ARP_SIZE;
}

static uint16_t get16(const uint8_t *bytes)
{
	return (uint16_t)(bytes[0] << 8 | bytes[1]);
}

static void mac_set(struct mac *mac, const uint8_t *bytes)
{
	memcpy(mac->bytes, bytes, MAC_SIZE);
	mac->set = true;
}

static bool all_zero(const uint8_t *bytes, size_t size)
{
	for (size_t i = 0; i < size; i++)
		if (bytes[i])
			return false;
	return true;
}

static struct ip ip_get(uint8_t family, const uint8_t *bytes)
{
	struct ip ip = {.family = family};
	memcpy(ip.bytes, bytes, ip_bits(&ip) / 8);
	return ip;
}

/* RFC 826, of Ethernet and IPv4. */
static bool is_arp(const uint8_t *frame, size_t size)
{
	const uint8_t *arp = frame + ETHERNET_HEADER;
	return size >= FRAME_ARP_SIZE && get16(arp) == ARPHRD_ETHER && get16(arp + 2) == ETH_P_IP &&
	       arp[4] == MAC_SIZE && arp[5] == 4;
}

/* RFC 5227 2.1.1: any ARP packet whose sender has the address, or a probe for it. */
static bool arp_claim(const uint8_t *frame, size_t size, struct ip *ret_ip, struct mac *ret_mac)
{
	const uint8_t *arp = frame + ETHERNET_HEADER;
	const uint8_t *sender = arp + 14, *target = arp + 24;
	if (!is_arp(frame, size))
		return false;
	bool probe = all_zero(sender, 4);
	if (probe && get16(arp + 6) != ARPOP_REQUEST)
		return false;
	*ret_ip = ip_get(AF_INET, probe ? target : sender);
	mac_set(ret_mac, arp + 8);
	return true;
}

/* An advertisement may be sent on behalf of another: its option names whose address it is. */
static const uint8_t *target_mac(const uint8_t *frame, size_t size)
{
	const size_t option = ICMPV6 + NEIGHBOR_SIZE;
	if (frame[ICMPV6] == ADVERTISEMENT && size >= option + 8 &&
	    frame[option] == OPTION_TARGET && frame[option + 1] == 1)
		return frame + option + 2;
	return frame + MAC_SIZE;
}

/* RFC 4861 7.1: what no router has passed on. */
static bool is_neighbor(const uint8_t *frame, size_t size)
{
	return size >= ICMPV6 + NEIGHBOR_SIZE && frame[IPV6_NEXT_HEADER] == IPPROTO_ICMPV6 &&
	       frame[IPV6_HOP_LIMIT] == 255;
}

/* RFC 4862 5.4.3 and 5.4.4: an advertisement of the address, or a solicitation from the unspecified
 * address. */
static bool neighbor_claim(const uint8_t *frame, size_t size, struct ip *ret_ip,
			   struct mac *ret_mac)
{
	if (!is_neighbor(frame, size))
		return false;
	if (frame[ICMPV6] != ADVERTISEMENT &&
	    (frame[ICMPV6] != SOLICITATION || !all_zero(frame + IPV6_SOURCE, 16)))
		return false;
	*ret_ip = ip_get(AF_INET6, frame + ICMPV6 + 8);
	mac_set(ret_mac, target_mac(frame, size));
	return true;
}

bool probe_frame_claim(const uint8_t *frame, size_t size, struct ip *ret_ip, struct mac *ret_mac)
{
	if (size < ETHERNET_HEADER)
		return false;
	switch (get16(frame + 12)) {
	case ETH_P_ARP:
		return arp_claim(frame, size, ret_ip, ret_mac);
	case ETH_P_IPV6:
		return neighbor_claim(frame, size, ret_ip, ret_mac);
	default:
		return false;
	}
}

static bool arp_answer(const uint8_t *frame, size_t size, struct ip *ret_ip, struct mac *ret_mac,
		       struct ip *ret_source)
{
	const uint8_t *arp = frame + ETHERNET_HEADER;
	if (!is_arp(frame, size) || get16(arp + 6) != ARPOP_REPLY)
		return false;
	*ret_ip = ip_get(AF_INET, arp + 14);
	*ret_source = ip_get(AF_INET, arp + 24);
	mac_set(ret_mac, arp + 8);
	return true;
}

/* RFC 4861 7.2.4: the flag is set in replies to a solicitation with a source. */
static bool neighbor_answer(const uint8_t *frame, size_t size, struct ip *ret_ip,
			    struct mac *ret_mac, struct ip *ret_source)
{
	if (!is_neighbor(frame, size) || frame[ICMPV6] != ADVERTISEMENT ||
	    !(frame[ICMPV6 + 4] & SOLICITED))
		return false;
	*ret_ip = ip_get(AF_INET6, frame + ICMPV6 + 8);
	*ret_source = ip_get(AF_INET6, frame + IPV6_DESTINATION);
	mac_set(ret_mac, target_mac(frame, size));
	return true;
}

bool answer_frame_decode(const uint8_t *frame, size_t size, struct ip *ret_ip, struct mac *ret_mac,
			 struct ip *ret_source)
{
	if (size < ETHERNET_HEADER)
		return false;
	switch (get16(frame + 12)) {
	case ETH_P_ARP:
		return arp_answer(frame, size, ret_ip, ret_mac, ret_source);
	case ETH_P_IPV6:
		return neighbor_answer(frame, size, ret_ip, ret_mac, ret_source);
	default:
		return false;
	}
}
