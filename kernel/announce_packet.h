/* Announces an address (gratuitous ARP, unsolicited neighbour advertisement), which updates the
 * caches of switches and peers. */
#ifndef KERNEL_ANNOUNCE_PACKET_H
#define KERNEL_ANNOUNCE_PACKET_H

#include "lib/ip.h"

#include <stddef.h>

#define ANNOUNCE_ARP_SIZE      42
#define ANNOUNCE_NEIGHBOR_SIZE 86

/* RFC 5227 2.3: an ARP request for the address by its owner. */
void announce_arp(uint8_t frame[ANNOUNCE_ARP_SIZE], const struct mac *mac, const struct ip *ip);
/* RFC 4861 7.2.6: an unsolicited neighbour advertisement that overrides. */
void announce_neighbor(uint8_t frame[ANNOUNCE_NEIGHBOR_SIZE], const struct mac *mac,
		       const struct ip *ip);

/* A packet socket for links of the thread's namespace. A failed announcement is not a failure of a
 * link: the result may be negative without an error, and announce() accepts that. Close it by
 * kernel/packet_close.h. */
int announce_open(void);
/* Sends announcements of addresses through the link, from `mac` (set false: the link's own). */
void announce(int fd, int ifindex, const struct mac *mac, const struct prefix *addrs,
	      size_t n_addrs);

#endif
