#include "kernel/announce_packet.h"

#include "kernel/packet.h"

#include <linux/if_packet.h>
#include <string.h>
#include <sys/socket.h>

#define MAC_SIZE    6
#define ICMPV6_SIZE 32

void announce_arp(uint8_t frame[ANNOUNCE_ARP_SIZE], const struct mac *mac, const struct ip *ip)
{
	frame_arp(frame, mac, ip, ip);
}

void announce_neighbor(uint8_t frame[ANNOUNCE_NEIGHBOR_SIZE], const struct mac *mac,
		       const struct ip *ip)
{
	static const uint8_t all_nodes_mac[MAC_SIZE] = {0x33, 0x33, 0, 0, 0, 1};
	static const uint8_t all_nodes[16] = {0xff, 0x02, [15] = 1};
	/* Override flag; the option is the target link-layer address (8 bytes). */
	uint8_t body[ICMPV6_SIZE] = {136, [4] = 0x20, [24] = 2, [25] = 1};
	memcpy(body + 8, ip->bytes, 16);
	memcpy(body + 26, mac->bytes, MAC_SIZE);
	frame_icmpv6(frame, all_nodes_mac, mac, ip, all_nodes, body, sizeof(body));
}

/* The link's own MAC address, from the bound socket. */
static bool mac_find(int fd, int ifindex, struct mac *ret)
{
	struct sockaddr_ll link = {.sll_family = AF_PACKET, .sll_ifindex = ifindex};
	socklen_t size = sizeof(link);
	if (bind(fd, (const struct sockaddr *)&link, sizeof(link)) < 0 ||
	    getsockname(fd, (struct sockaddr *)&link, &size) < 0 || link.sll_halen != MAC_SIZE)
		return false;
	memcpy(ret->bytes, link.sll_addr, MAC_SIZE);
	ret->set = true;
	return true;
}

/* To the link's address and not to the bound one: a packet socket that sends through many links, or
 * for many MAC addresses, is not bound each time. */
static void frame_send(int fd, int ifindex, const struct mac *mac, const struct ip *ip)
{
	uint8_t frame[ANNOUNCE_NEIGHBOR_SIZE];
	const struct sockaddr_ll link = {.sll_family = AF_PACKET, .sll_ifindex = ifindex};
	size_t size = ip->family == AF_INET ? ANNOUNCE_ARP_SIZE : ANNOUNCE_NEIGHBOR_SIZE;
	if (ip->family == AF_INET)
		announce_arp(frame, mac, ip);
	else
		announce_neighbor(frame, mac, ip);
	(void)!sendto(fd, frame, size, MSG_DONTWAIT, (const struct sockaddr *)&link, sizeof(link));
}

int announce_open(void)
{
	/* Protocol 0: the socket only sends. */
	return socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
}

void announce(int fd, int ifindex, const struct mac *mac, const struct prefix *addrs,
	      size_t n_addrs)
{
	struct mac own = *mac;
	if (fd < 0 || n_addrs == 0 || (!own.set && !mac_find(fd, ifindex, &own)))
		return;
	for (size_t i = 0; i < n_addrs; i++)
		frame_send(fd, ifindex, &own, &addrs[i].ip);
}
