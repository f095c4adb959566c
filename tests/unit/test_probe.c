/* Probes byte for byte, accepted replies, and the addresses of a plan that are probed. */
#include "tests/unit/world.h"

#include "kernel/probe_packet.h"
#include "reconcile/probe/probe.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static const struct mac mac = {.bytes = {0x02, 0, 0, 0, 0, 0xe0}, .set = true};

static struct ip ip_of(const char *text)
{
	struct ip ip;
	assert_true(ip_parse(text, &ip));
	return ip;
}

static void test_arp_probe(void **state)
{
	(void)state;
	static const uint8_t expected[FRAME_ARP_SIZE] = {
		0xff, 0xff, 0xff, 0xff, 0xff, 0xff,                    /* to all */
		0x02, 0,    0,    0,    0,    0xe0, 0x08, 0x06,        /* from us, ARP */
		0,    1,    8,    0,    6,    4,    0,    1,           /* request */
		0x02, 0,    0,    0,    0,    0xe0, 0,    0,    0,  0, /* 0.0.0.0 */
		0,    0,    0,    0,    0,    0,    172,  16,   86, 2};
	uint8_t frame[PROBE_FRAME_MAX];
	const struct ip ip = ip_of("172.16.86.2");
	assert_int_equal(probe_frame(frame, &mac, &ip), sizeof(expected));
	assert_memory_equal(frame, expected, sizeof(expected));
}

static void test_solicitation(void **state)
{
	(void)state;
	static const uint8_t expected[FRAME_ICMPV6_SIZE(24)] = {
		0x33, 0x33, 0xff, 0x12, 0x34, 0x56,             /* to the solicited node's group */
		0x02, 0,    0,    0,    0,    0xe0, 0x86, 0xdd, /* from us, IPv6 */
		0x60, 0,    0,    0,    0,    24,   58,   255,  /* ICMPv6, hop limit */
		0,    0,    0,    0,    0,    0,    0,    0,    0, 0, 0, 0, 0,    0,    0,    0,
		0xff, 0x02, 0,    0,    0,    0,    0,    0,    0, 0, 0, 1, 0xff, 0x12, 0x34, 0x56,
		135,  0,    0,    0,    0,    0,    0,    0, /* solicitation */
		0xfd, 0,    0,    0x86, 0,    0,    0,    0,    0, 0, 0, 0, 0,    0x12, 0x34, 0x56};
	uint8_t frame[PROBE_FRAME_MAX];
	const struct ip ip = ip_of("fd00:86::12:3456");
	assert_int_equal(probe_frame(frame, &mac, &ip), sizeof(expected));
	/* Verifies the checksum as the receiver does: the sum of everything is all ones. */
	uint32_t sum = 24 + 58;
	for (size_t i = 22; i < sizeof(expected); i += 2)
		sum += (uint32_t)frame[i] << 8 | frame[i + 1];
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	assert_int_equal(sum, 0xffff);
	memcpy(frame + 56, expected + 56, 2);
	assert_memory_equal(frame, expected, sizeof(expected));
}

/* A question is what the kernel sends for a neighbour: with its source, and for IPv6 with the
 * option that has its MAC (RFC 4861 4.3). */
static void test_question(void **state)
{
	(void)state;
	static const uint8_t arp[FRAME_ARP_SIZE] = {
		0xff, 0xff, 0xff, 0xff, 0xff, 0xff,             /* to all */
		0x02, 0,    0,    0,    0,    0xe0, 0x08, 0x06, /* from us, ARP */
		0,    1,    8,    0,    6,    4,    0,    1,    /* request */
		0x02, 0,    0,    0,    0,    0xe0, 172,  16,   86, 2,
		0,    0,    0,    0,    0,    0,    172,  16,   86, 1};
	const struct mac all = {.set = false}, one = {.bytes = {2, 0, 0, 0, 0, 1}, .set = true};
	uint8_t frame[QUESTION_FRAME_MAX];
	struct ip source = ip_of("172.16.86.2"), target = ip_of("172.16.86.1");
	assert_int_equal(question_frame(frame, &mac, &source, &target, &all), sizeof(arp));
	assert_memory_equal(frame, arp, sizeof(arp));
	assert_int_equal(question_frame(frame, &mac, &source, &target, &one), sizeof(arp));
	assert_memory_equal(frame, one.bytes, 6);
	assert_memory_equal(frame + 6, arp + 6, sizeof(arp) - 6);

	source = ip_of("fd00:86::2"), target = ip_of("fd00:86::1");
	assert_int_equal(question_frame(frame, &mac, &source, &target, &all),
			 FRAME_ICMPV6_SIZE(32));
	assert_memory_equal(frame + 22, source.bytes, 16);
	assert_memory_equal(frame + 62, target.bytes, 16);
	const uint8_t option[8] = {1, 1, 0x02, 0, 0, 0, 0, 0xe0};
	assert_memory_equal(frame + 78, option, sizeof(option));
}

struct answer {
	const char *name;
	bool six;
	struct {
		unsigned at;
		uint8_t value;
	} edits[3]; /* of our own question, up to an offset of 0 */
	bool is_one;
};

/* Offsets as in `claims`; 58 has the flags of an advertisement. */
static const struct answer answers[] = {
	{"our question", false, {{0}}, false},
	{"a reply", false, {{21, 2}}, true},
	{"a reply of RARP", false, {{21, 4}}, false},
	{"another protocol", false, {{21, 2}, {16, 9}}, false},
	{"our solicitation", true, {{0}}, false},
	{"an advertisement", true, {{54, 136}, {58, 0x60}}, true},
	{"an announcement", true, {{54, 136}, {58, 0x20}}, false},
	{"one that came by a router", true, {{54, 136}, {58, 0x60}, {21, 254}}, false},
};

static void test_answers(void **state)
{
	(void)state;
	const struct mac all = {.set = false};
	for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
		const struct answer *answer = &answers[i];
		const struct ip source = ip_of(answer->six ? "fd00:86::1" : "172.16.86.1");
		const struct ip target = ip_of(answer->six ? "fd00:86::2" : "172.16.86.2");
		uint8_t frame[QUESTION_FRAME_MAX];
		size_t size = question_frame(frame, &mac, &source, &target, &all);
		struct ip ip, asker;
		struct mac by;
		for (size_t k = 0; k < 3 && answer->edits[k].at; k++)
			frame[answer->edits[k].at] = answer->edits[k].value;
		if (answer_frame_decode(frame, size, &ip, &by, &asker) != answer->is_one)
			fail_msg("%s: %d", answer->name, !answer->is_one);
		for (size_t length = 0; length < FRAME_ARP_SIZE; length++)
			assert_false(answer_frame_decode(frame, length, &ip, &by, &asker));
		if (!answer->is_one)
			continue;
		assert_true(mac_equal(&by, &mac));
		/* The frame is our question turned round: of IPv6 the target is the answer. */
		assert_true(ip_equal(&ip, answer->six ? &target : &source));
		if (!answer->six)
			assert_true(ip_equal(&asker, &target));
	}
}

struct claim {
	const char *name;
	bool six;
	struct {
		unsigned at;
		uint8_t value;
	} edits[4]; /* of this host's own probe for 172.16.86.2 or fd00:86::2, up to an offset of 0
		     */
	const char *ip; /* NULL: it is none */
};

/* Offsets: 20 ARP's operation, 28 its sender, 38 its target; 21 the hop limit, 22 IPv6's source,
 * 54 ICMPv6's type. */
static const struct claim claims[] = {
	{"another's probe", false, {{0}}, "172.16.86.2"},
	{"a request by who has it", false, {{28, 10}, {31, 9}}, "10.0.0.9"},
	{"a reply", false, {{21, 2}, {28, 10}, {31, 9}}, "10.0.0.9"},
	{"a reply of nobody", false, {{21, 2}}, NULL},
	{"another protocol", false, {{16, 9}}, NULL},
	{"another hardware", false, {{15, 6}}, NULL},
	{"another length", false, {{18, 8}}, NULL},
	{"another frame", false, {{12, 9}}, NULL},
	{"another's detection", true, {{0}}, "fd00:86::2"},
	{"an advertisement", true, {{54, 136}}, "fd00:86::2"},
	{"an advertisement from somewhere", true, {{54, 136}, {22, 0xfd}}, "fd00:86::2"},
	{"a solicitation by who has an address", true, {{22, 0xfd}}, NULL},
	{"one that came by a router", true, {{21, 254}}, NULL},
	{"another ICMPv6", true, {{54, 128}}, NULL},
	{"another protocol over IPv6", true, {{20, 17}}, NULL},
};

static size_t claim_frame(const struct claim *claim, uint8_t frame[PROBE_FRAME_MAX])
{
	const struct ip ip = ip_of(claim->six ? "fd00:86::2" : "172.16.86.2");
	size_t size = probe_frame(frame, &mac, &ip);
	for (size_t i = 0; i < 4 && claim->edits[i].at; i++)
		frame[claim->edits[i].at] = claim->edits[i].value;
	return size;
}

static void test_claims(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(claims) / sizeof(claims[0]); i++) {
		uint8_t frame[PROBE_FRAME_MAX];
		struct ip ip;
		struct mac by;
		char text[IP_TEXT_SIZE];
		size_t size = claim_frame(&claims[i], frame);
		bool claimed = probe_frame_claim(frame, size, &ip, &by);
		if (claimed != (claims[i].ip != NULL))
			fail_msg("%s: %d", claims[i].name, claimed);
		if (!claimed)
			continue;
		assert_string_equal(ip_format(&ip, text), claims[i].ip);
		assert_true(mac_equal(&by, &mac));
	}
}

/* On behalf of another host: its option has the holder. Without the option, the sender is the
 * holder. */
static void test_advertisement_option(void **state)
{
	(void)state;
	uint8_t frame[PROBE_FRAME_MAX + 8] = {0};
	struct ip ip;
	struct mac by;
	const struct claim claim = {.six = true, .edits = {{54, 136}}};
	size_t size = claim_frame(&claim, frame);
	const uint8_t option[8] = {2, 1, 2, 0, 0, 0, 0, 0x77};
	memcpy(frame + size, option, sizeof(option));
	assert_true(probe_frame_claim(frame, size + 8, &ip, &by));
	assert_memory_equal(by.bytes, option + 2, 6);
	assert_true(probe_frame_claim(frame, size + 7, &ip, &by));
	assert_true(mac_equal(&by, &mac));
}

static void test_cut_short(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(claims) / sizeof(claims[0]); i++) {
		uint8_t whole[PROBE_FRAME_MAX];
		size_t size = claim_frame(&claims[i], whole);
		for (size_t length = 0; length < size; length++) {
			/* Of exactly its size, so that the sanitizer detects reads beyond it. */
			uint8_t *frame = test_malloc(length + 1);
			struct ip ip;
			struct mac by;
			memcpy(frame, whole, length);
			assert_false(probe_frame_claim(frame, length, &ip, &by));
			test_free(frame);
		}
	}
}

#define LAN(keys) "networks: {lan: {parent: eth0, subnet: 172.16.86.0/24" keys "}}\n"
#define WEB(ip)   "containers: {web: {networks: {lan: {ipv4_address: " ip "}}}}\n"

/* The probes when `after` follows `before`. */
static const struct {
	const char *before, *after, *probed;
} rows[] = {
	{"", LAN("") WEB("172.16.86.8"), ""},
	{"", LAN(", probe: true") WEB("172.16.86.8"), "eth0(2) 172.16.86.8;"},
	{LAN("") WEB("172.16.86.8"), LAN(", probe: true") WEB("172.16.86.8"), ""},
	{LAN("") WEB("172.16.86.8"), LAN(", probe: true") WEB("172.16.86.9"),
	 "eth0(2) 172.16.86.9;"},
	{LAN("") WEB("172.16.86.8"), LAN(", probe: true, mode: passthru") WEB("172.16.86.8"), ""},
	{LAN("") WEB("172.16.86.8"),
	 "networks: {lan: {parent: eth1, subnet: 172.16.86.0/24, probe: true}}\n" WEB(
		 "172.16.86.8"),
	 "eth1(3) 172.16.86.8;"},
	{"", LAN(", probe: true, vlan: 10") WEB("172.16.86.8"), "eth0.10(0) 172.16.86.8;"},
	{"", LAN(", probe: true, driver: ipvlan, mode: l3") WEB("172.16.86.8"), ""},
	{"",
	 "networks: {lan: {internal: true, subnet: 172.16.86.0/24, probe: true}}\n" WEB(
		 "172.16.86.8"),
	 ""},
	{LAN(", probe: true") WEB("172.16.86.8"), LAN(", probe: true"), ""},
};

static void probed_for(struct live *live, const char *yaml, char text[256])
{
	const struct plan_options options = {.unguarded = true};
	struct arena *arena = arena_new();
	struct desired *desired = desired_from(yaml);
	world_containers(live, desired);
	const struct plan *plan = plan_make(desired, live, &options);
	const struct selection all = selection_all(plan, arena);
	const struct probes probes = probes_of(&all, live, arena);
	text[0] = '\0';
	for (size_t i = 0; i < probes.count; i++) {
		char ip[IP_TEXT_SIZE];
		snprintf(text + strlen(text), 256 - strlen(text), "%s(%d) %s;",
			 probes.items[i].link, probes.items[i].ifindex,
			 ip_format(&probes.items[i].ip, ip));
	}
	world_apply(live, plan);
	plan_free(plan);
	desired_free(desired);
	arena_free(arena);
}

static void test_probed_for(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char text[256];
		struct live *live = world_new();
		probed_for(live, rows[i].before, text);
		probed_for(live, rows[i].after, text);
		assert_string_equal(text, rows[i].probed);
		world_free(live);
	}
}

static void test_fault(void **state)
{
	(void)state;
	struct probe probe = {.link = "eth0", .ip = ip_of("10.0.0.9"), .in_use = true, .by = mac};
	struct error error;
	probe_fault(&probe, &error);
	assert_string_equal(error.text,
			    "address 10.0.0.9 is already in use by 02:00:00:00:00:e0 on eth0");
	assert_string_not_equal(error.hint, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_arp_probe), cmocka_unit_test(test_solicitation),
		cmocka_unit_test(test_claims),    cmocka_unit_test(test_advertisement_option),
		cmocka_unit_test(test_cut_short), cmocka_unit_test(test_probed_for),
		cmocka_unit_test(test_fault),     cmocka_unit_test(test_question),
		cmocka_unit_test(test_answers),
	};
	return cmocka_run_group_tests_name("probe", tests, NULL, NULL);
}
