/* Announcement frames, byte for byte. */
#include "kernel/announce_packet.h"

#include <stdarg.h>
#include <stddef.h>

#include <setjmp.h>

#include <cmocka.h>

static const struct mac mac = {.bytes = {0x02, 0x42, 0xac, 0x10, 0x56, 0x02}, .set = true};

static void test_arp(void **state)
{
	(void)state;
	static const uint8_t expected[ANNOUNCE_ARP_SIZE] = {
		0xff, 0xff, 0xff, 0xff, 0xff, 0xff, /* to all */
		0x02, 0x42, 0xac, 0x10, 0x56, 0x02, /* from us */
		0x08, 0x06,                         /* ARP */
		0x00, 0x01, 0x08, 0x00, 0x06, 0x04, /* Ethernet, IPv4 */
		0x00, 0x01,                         /* request */
		0x02, 0x42, 0xac, 0x10, 0x56, 0x02, /* sender */
		172,  16,   86,   2,                /* its address */
		0x00, 0x00, 0x00, 0x00, 0x00, 0x00, /* target */
		172,  16,   86,   2,                /* the same address */
	};
	uint8_t frame[ANNOUNCE_ARP_SIZE];
	struct ip ip;
	assert_true(ip_parse("172.16.86.2", &ip));
	announce_arp(frame, &mac, &ip);
	assert_memory_equal(frame, expected, sizeof(expected));
}

static void test_neighbor(void **state)
{
	(void)state;
	static const uint8_t expected[ANNOUNCE_NEIGHBOR_SIZE] = {
		0x33, 0x33, 0x00, 0x00, 0x00, 0x01, /* to all nodes */
		0x02, 0x42, 0xac, 0x10, 0x56, 0x02, /* from us */
		0x86, 0xdd,                         /* IPv6 */
		0x60, 0x00, 0x00, 0x00, 0x00, 0x20, /* version 6, 32 bytes */
		58,   255,                          /* ICMPv6, hop limit */
		0xfd, 0x00, 0x00, 0x86, 0,    0,    0,    0,
		0,    0,    0,    0,    0,    0,    0,    2, /* source */
		0xff, 0x02, 0,    0,    0,    0,    0,    0,
		0,    0,    0,    0,    0,    0,    0,    1,    /* all nodes */
		136,  0,    0x57, 0x39, 0x20, 0x00, 0x00, 0x00, /* advertisement, override */
		0xfd, 0x00, 0x00, 0x86, 0,    0,    0,    0,
		0,    0,    0,    0,    0,    0,    0,    2,    /* target */
		2,    1,    0x02, 0x42, 0xac, 0x10, 0x56, 0x02, /* its link-layer address */
	};
	uint8_t frame[ANNOUNCE_NEIGHBOR_SIZE];
	struct ip ip;
	assert_true(ip_parse("fd00:86::2", &ip));
	announce_neighbor(frame, &mac, &ip);
	assert_memory_equal(frame, expected, sizeof(expected));
}

/* RFC 1071: over the pseudo-header and the message with its checksum, the sum is all ones. */
static void test_checksum(void **state)
{
	(void)state;
	static const char *const ips[] = {"fd00::1", "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff",
					  "fe80::42:acff:fe10:5602", "::1"};
	for (size_t k = 0; k < sizeof(ips) / sizeof(ips[0]); k++) {
		uint8_t frame[ANNOUNCE_NEIGHBOR_SIZE];
		struct ip ip;
		uint32_t sum = 32 + 58;
		assert_true(ip_parse(ips[k], &ip));
		announce_neighbor(frame, &mac, &ip);
		for (size_t i = 14 + 8; i < sizeof(frame); i += 2)
			sum += (uint32_t)frame[i] << 8 | frame[i + 1];
		while (sum >> 16)
			sum = (sum & 0xffff) + (sum >> 16);
		assert_int_equal(sum, 0xffff);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_arp),
		cmocka_unit_test(test_neighbor),
		cmocka_unit_test(test_checksum),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
