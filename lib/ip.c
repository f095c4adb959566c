#include "lib/ip.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool ip_parse(const char *text, struct ip *ret)
{
	struct ip ip = {.family = strchr(text, ':') ? AF_INET6 : AF_INET};
	if (inet_pton(ip.family, text, ip.bytes) != 1)
		return false;
	*ret = ip;
	return true;
}

bool prefix_parse(const char *text, struct prefix *ret)
{
	const char *slash = strchr(text, '/');
	if (!slash || slash - text >= IP_TEXT_SIZE)
		return false;

	char address[IP_TEXT_SIZE] = {0};
	memcpy(address, text, (size_t)(slash - text));
	struct prefix prefix;
	if (!ip_parse(address, &prefix.ip))
		return false;

	const char *digits = slash + 1;
	size_t count = strspn(digits, "0123456789");
	if (count == 0 || count > 3 || digits[count] || (digits[0] == '0' && count > 1))
		return false;
	unsigned long len = strtoul(digits, NULL, 10);
	if (len > ip_bits(&prefix.ip))
		return false;
	prefix.len = (uint8_t)len;
	*ret = prefix;
	return true;
}

bool mac_parse(const char *text, struct mac *ret)
{
	struct mac mac = {.set = true};
	char between = text[0] && text[1] ? text[2] : '\0';
	if (strlen(text) != MAC_TEXT_SIZE - 1 || (between != ':' && between != '-'))
		return false;
	for (size_t i = 0; i < sizeof(mac.bytes); i++) {
		const char *pair = text + 3 * i;
		if (strspn(pair, "0123456789abcdefABCDEF") < 2 ||
		    pair[2] != (i < sizeof(mac.bytes) - 1 ? between : '\0'))
			return false;
		mac.bytes[i] = (uint8_t)strtoul((char[]){pair[0], pair[1], '\0'}, NULL, 16);
	}
	*ret = mac;
	return true;
}

const char *link_mac_parse(const char *text, struct mac *ret)
{
	static const struct mac zero = {.set = true};
	struct mac mac;
	if (!mac_parse(text, &mac))
		return "is not a MAC address";
	if (mac_equal(&mac, &zero))
		return "is all zeros, which is not a valid MAC address of a link";
	if (mac.bytes[0] & 1)
		return "is a multicast address: the first byte is odd";
	*ret = mac;
	return NULL;
}

const char *ip_format(const struct ip *ip, char text[IP_TEXT_SIZE])
{
	if (!ip->family || !inet_ntop(ip->family, ip->bytes, text, IP_TEXT_SIZE))
		text[0] = '\0';
	return text;
}

const char *prefix_format(const struct prefix *prefix, char text[PREFIX_TEXT_SIZE])
{
	char address[IP_TEXT_SIZE];
	snprintf(text, PREFIX_TEXT_SIZE, "%s/%u", ip_format(&prefix->ip, address), prefix->len);
	return text;
}

const char *mac_format(const struct mac *mac, char text[MAC_TEXT_SIZE])
{
	const uint8_t *b = mac->bytes;
	snprintf(text, MAC_TEXT_SIZE, "%02x:%02x:%02x:%02x:%02x:%02x", b[0], b[1], b[2], b[3], b[4],
		 b[5]);
	return text;
}

unsigned ip_bits(const struct ip *ip)
{
	return ip->family == AF_INET ? 32 : ip->family == AF_INET6 ? 128 : 0;
}

int ip_compare(const struct ip *a, const struct ip *b)
{
	if (a->family != b->family)
		return a->family < b->family ? -1 : 1;
	return memcmp(a->bytes, b->bytes, sizeof(a->bytes));
}

bool ip_equal(const struct ip *a, const struct ip *b)
{
	return ip_compare(a, b) == 0;
}

bool ip_is_link_local(const struct ip *ip)
{
	return ip->family == AF_INET6 && ip->bytes[0] == 0xfe && (ip->bytes[1] & 0xc0) == 0x80;
}

bool ip_is_loopback(const struct ip *ip)
{
	static const struct ip one = {AF_INET6, {[15] = 1}};
	return ip->family == AF_INET ? ip->bytes[0] == 127 : ip_equal(ip, &one);
}

struct ip ip_next(struct ip ip)
{
	for (unsigned i = ip_bits(&ip) / 8; i-- > 0;)
		if (++ip.bytes[i] != 0)
			break;
	return ip;
}

struct ip ip_previous(struct ip ip)
{
	for (unsigned i = ip_bits(&ip) / 8; i-- > 0;)
		if (ip.bytes[i]-- != 0)
			break;
	return ip;
}

bool prefix_equal(const struct prefix *a, const struct prefix *b)
{
	return a->len == b->len && ip_equal(&a->ip, &b->ip);
}

/* The byte at `index` of a mask of `len` bits. */
static uint8_t mask_byte(unsigned len, unsigned index)
{
	if (len >= 8 * (index + 1))
		return 0xff;
	return len <= 8 * index ? 0 : (uint8_t)(0xff << (8 * (index + 1) - len));
}

bool prefix_contains(const struct prefix *prefix, const struct ip *ip)
{
	if (!prefix->ip.family || prefix->ip.family != ip->family)
		return false;
	const unsigned whole = prefix->len / 8;
	if (memcmp(prefix->ip.bytes, ip->bytes, whole) != 0)
		return false;
	return prefix->len % 8 == 0 ||
	       !((prefix->ip.bytes[whole] ^ ip->bytes[whole]) & mask_byte(prefix->len, whole));
}

bool prefix_overlaps(const struct prefix *a, const struct prefix *b)
{
	return prefix_contains(a, &b->ip) || prefix_contains(b, &a->ip);
}

struct ip prefix_first(const struct prefix *prefix)
{
	struct ip ip = prefix->ip;
	for (unsigned i = 0; i < ip_bits(&ip) / 8; i++)
		ip.bytes[i] &= mask_byte(prefix->len, i);
	return ip;
}

struct ip prefix_last(const struct prefix *prefix)
{
	struct ip ip = prefix->ip;
	for (unsigned i = 0; i < ip_bits(&ip) / 8; i++)
		ip.bytes[i] |= (uint8_t)~mask_byte(prefix->len, i);
	return ip;
}

struct prefix prefix_subnet(const struct prefix *prefix)
{
	return (struct prefix){.ip = prefix_first(prefix), .len = prefix->len};
}

bool prefix_usable(const struct prefix *prefix, const struct ip *ip)
{
	if (!prefix_contains(prefix, ip))
		return false;
	if (prefix->len + 2U > ip_bits(ip))
		return true;
	struct ip first = prefix_first(prefix), last = prefix_last(prefix);
	if (ip_equal(ip, &first))
		return false;
	return ip->family != AF_INET || !ip_equal(ip, &last);
}

bool prefix_is_lan(const struct prefix *prefix)
{
	static const struct prefix others[] = {
		{{AF_INET, {0}}, 8},
		{{AF_INET, {127}}, 8},
		{{AF_INET, {224}}, 4},
		{{AF_INET6, {0}}, 96}, /* unspecified, loopback, IPv4-compatible */
		{{AF_INET6, {[10] = 0xff, [11] = 0xff}}, 96}, /* IPv4-mapped */
		{{AF_INET6, {0xff}}, 8},
	};
	for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++)
		if (prefix_overlaps(&others[i], prefix))
			return false;
	return true;
}

bool mac_equal(const struct mac *a, const struct mac *b)
{
	return a->set == b->set && memcmp(a->bytes, b->bytes, sizeof(a->bytes)) == 0;
}

struct mac mac_of_ipv4(const struct ip *ip)
{
	const uint8_t *b = ip->bytes;
	return (struct mac){.bytes = {0x02, 0x42, b[0], b[1], b[2], b[3]}, .set = true};
}

bool mac_is_of_ipv4(const struct mac *mac, const struct ip *ip)
{
	const struct mac derived = mac_of_ipv4(ip);
	return ip->family && mac_equal(mac, &derived);
}
