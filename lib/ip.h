/* IP addresses, prefixes and MAC addresses as values; all bytes are in network order. */
#ifndef LIB_IP_H
#define LIB_IP_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

#define IP_TEXT_SIZE     INET6_ADDRSTRLEN
#define PREFIX_TEXT_SIZE (INET6_ADDRSTRLEN + 4)
#define MAC_TEXT_SIZE    18

/* RFC 8200, section 5; a link with a lower MTU has no IPv6 (ipv6_add_dev). */
#define IPV6_MTU_MIN 1280

/* family is AF_INET, AF_INET6, or 0 if unset. IPv4 uses the first 4 bytes; the rest are zero. */
struct ip {
	uint8_t family;
	uint8_t bytes[16];
};

struct prefix {
	struct ip ip; /* may have host bits */
	uint8_t len;  /* 0..ip_bits(ip) */
};

struct mac {
	uint8_t bytes[6];
	bool set;
};

/* Strict: dotted quads without leading zeros, IPv6 without zone. False leaves *ret untouched. */
bool ip_parse(const char *text, struct ip *ret);
bool prefix_parse(const char *text, struct prefix *ret);
/* Six pairs of hex digits with ':' or '-' between. */
bool mac_parse(const char *text, struct mac *ret);
/* The MAC address of a link. Returns NULL, or the problem, worded to follow the text. */
const char *link_mac_parse(const char *text, struct mac *ret);

/* Each writes into the caller's buffer and returns it. */
const char *ip_format(const struct ip *ip, char text[IP_TEXT_SIZE]);
const char *prefix_format(const struct prefix *prefix, char text[PREFIX_TEXT_SIZE]);
const char *mac_format(const struct mac *mac, char text[MAC_TEXT_SIZE]);

/* 32, 128, or 0 for an unset address. */
unsigned ip_bits(const struct ip *ip);
/* Bytewise by family, then address: <0, 0, >0. */
int ip_compare(const struct ip *a, const struct ip *b);
bool ip_equal(const struct ip *a, const struct ip *b);
/* fe80::/10 (RFC 4291 2.5.6); false for IPv4. */
bool ip_is_link_local(const struct ip *ip);
/* 127.0.0.0/8 (RFC 1122 3.2.1.3) or ::1 (RFC 4291 2.5.3). */
bool ip_is_loopback(const struct ip *ip);
/* The next higher address; the highest one wraps to zero. */
struct ip ip_next(struct ip ip);
struct ip ip_previous(struct ip ip);

bool prefix_equal(const struct prefix *a, const struct prefix *b);
/* False for another family. */
bool prefix_contains(const struct prefix *prefix, const struct ip *ip);
bool prefix_overlaps(const struct prefix *a, const struct prefix *b);
/* The lowest and the highest address of the prefix: for IPv4 shorter than /31 (RFC 3021) the
 * network and the broadcast address. */
struct ip prefix_first(const struct prefix *prefix);
struct ip prefix_last(const struct prefix *prefix);
/* The prefix without host bits. */
struct prefix prefix_subnet(const struct prefix *prefix);
/* Whether a host of this prefix may have the address: the prefix contains it, and it is neither the
 * network nor the broadcast address (IPv4 shorter than /31, RFC 3021), nor the subnet-router
 * anycast address (IPv6 shorter than /127, RFC 4291 2.6.1, RFC 6164). */
bool prefix_usable(const struct prefix *prefix, const struct ip *ip);

/* False for addresses that no LAN uses and that the kernel refuses. */
bool prefix_is_lan(const struct prefix *prefix);

bool mac_equal(const struct mac *a, const struct mac *b);
/* Docker's MAC for an IPv4 address: 02:42 followed by the address. */
struct mac mac_of_ipv4(const struct ip *ip);
/* Whether the MAC was derived from the address; false if either is unset. */
bool mac_is_of_ipv4(const struct mac *mac, const struct ip *ip);

#endif
