/* Encoding rtnetlink messages: whole messages byte for byte, and values through decode and back. */
#include "kernel/rtnl_encode.h"

#include "kernel/rtnl_decode.h"
#include "reconcile/state/policy_routing.h"

#include <linux/fib_rules.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <stdarg.h>
#include <string.h>

#include <setjmp.h>

#include <cmocka.h>

static const struct addr_terms managed = {.protocol = OWNER_TAG_PROTOCOL};

/* Netlink uses the machine's byte order; the bytes below are little endian. */
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
static void assert_bytes(const union message *message, const uint8_t *bytes, size_t size)
{
	assert_int_equal(message->header.nlmsg_len, size);
	assert_memory_equal(message->bytes, bytes, size);
}
#else
static void assert_bytes(const union message *message, const uint8_t *bytes, size_t size)
{
	(void)bytes;
	assert_int_equal(message->header.nlmsg_len, size);
}
#endif

static const struct link_spec macvlan = {
	.name = "eth0",
	.kind = KIND_MACVLAN,
	.mode = MODE_BRIDGE,
	.mac = {.bytes = {2, 0x42, 0xac, 0x10, 0x56, 2}, .set = true},
	.mtu = 1400};

static void test_create(void **state)
{
	(void)state;
	static const uint8_t
		expected[] =
			{
				0x6c, 0,   0,    0,    16,   0,    0,    6,    0,
				0,    0,   0,    0,    0,    0,    0,    0,    0,
				0,    0,   0x40, 0x42, 0x0f, 0,    0,    0,    0,
				0,    0,   0,    0,    0,    9,    0,    3,    0,
				'e',  't', 'h',  '0',  0,    0,    0,    0, /* IFNAME
									     */
				10,   0,   1,    0,    2,    0x42, 0xac, 0x10, 0x56,
				2,    0,   0,                               /* ADDRESS */
				8,    0,   4,    0,    0x78, 5,    0,    0, /* MTU */
				8,    0,   5,    0,    3,    0,    0,    0, /* LINK */
				8,    0,   37,   0,    7,    0,    0,    0, /* LINK_NETNSID */
				28,   0,   18,   0x80,                      /* LINKINFO */
				12,   0,   1,    0,    'm',  'a',  'c',  'v',  'l',
				'a',  'n', 0,    12,   0,    2,    0x80,    /* INFO_DATA
									     */
				8,    0,   1,    0,    4,    0,    0,    0, /* MODE bridge */
			};
	const struct link_creation link_creation = {
		.ifindex = 1000000, .name = "eth0", .parent = 3, .other_netns = true, .nsid = 7};
	union message message;
	assert_true(encode_link_create(&message, &macvlan, &link_creation));
	assert_bytes(&message, expected, sizeof(expected));
}

static bool has_attr(const union message *message, uint16_t type)
{
	const struct nlattr *attr;
	mnl_attr_for_each(attr, &message->header,
			  sizeof(struct ifinfomsg)) if (mnl_attr_get_type(attr) ==
							type) return true;
	return false;
}

static void test_omitted_values(void **state)
{
	(void)state;
	const struct link_creation link_creation = {.ifindex = 5, .name = "eth0", .parent = 3};
	struct link_spec spec = macvlan;
	union message message;
	spec.mtu = 0;
	spec.mac.set = false;
	assert_true(encode_link_create(&message, &spec, &link_creation));
	assert_false(has_attr(&message, IFLA_MTU));
	assert_false(has_attr(&message, IFLA_ADDRESS));
	assert_false(has_attr(&message, IFLA_LINK_NETNSID));
	spec = macvlan;
	spec.kind = KIND_IPVLAN;
	spec.mode = MODE_L2;
	assert_true(encode_link_create(&message, &spec, &link_creation));
	assert_false(has_attr(&message, IFLA_ADDRESS));
	const struct link_creation dummy = {.ifindex = 5, .name = "d0"};
	spec.kind = KIND_DUMMY;
	assert_true(encode_link_create(&message, &spec, &dummy));
	assert_false(has_attr(&message, IFLA_LINK));
}

/* A request to create a link has the shape of the kernel's listing of it. */
static struct live_link decoded(struct arena *arena, union message *message)
{
	struct live_link link;
	struct parent_ref parent;
	assert_int_equal(decode_link(arena, &message->header, &link, &parent), DECODED);
	return link;
}

static void test_kinds(void **state)
{
	(void)state;
	const struct link_creation link_creation = {.ifindex = 5, .name = "x", .parent = 3};
	static const struct link_spec specs[] = {
		{.kind = KIND_MACVLAN,
		 .mode = MODE_PRIVATE,
		 .has_bcqueuelen = true,
		 .bcqueuelen = 9},
		{.kind = KIND_MACVLAN, .mode = MODE_VEPA},
		{.kind = KIND_MACVLAN, .mode = MODE_PASSTHRU},
		{.kind = KIND_MACVTAP, .mode = MODE_VEPA, .has_bcqueuelen = true, .bcqueuelen = 9},
		{.kind = KIND_IPVLAN, .mode = MODE_L2},
		{.kind = KIND_IPVLAN, .mode = MODE_L3},
		{.kind = KIND_IPVLAN, .mode = MODE_L3S},
		{.kind = KIND_VLAN, .vlan = 4094, .vlan_protocol = VLAN_8021AD},
		{.kind = KIND_VLAN, .vlan = 1, .vlan_protocol = VLAN_8021Q},
		{.kind = KIND_DUMMY},
	};
	struct arena *arena = arena_new();
	for (size_t i = 0; i < sizeof(specs) / sizeof(specs[0]); i++) {
		const struct link_spec *spec = &specs[i];
		union message message;
		assert_true(encode_link_create(&message, spec, &link_creation));
		const struct live_link link = decoded(arena, &message);
		const bool modal = spec->kind == KIND_MACVLAN || spec->kind == KIND_MACVTAP ||
				   spec->kind == KIND_IPVLAN;
		assert_int_equal(link.kind, spec->kind);
		assert_int_equal(link.mode_known, modal);
		assert_int_equal(link.mode, spec->mode);
		assert_int_equal(link.has_bcqueuelen, spec->has_bcqueuelen);
		assert_int_equal(link.bcqueuelen, spec->bcqueuelen);
		assert_int_equal(link.vlan, spec->vlan);
		assert_int_equal(link.vlan_protocol, spec->vlan_protocol);
		assert_int_equal(link.parent, 3);
	}
	arena_free(arena);
}

static void test_address(void **state)
{
	(void)state;
	static const uint8_t expected[] = {
		0x40, 0,  0,     0,  20,
		0,    0,  4 | 2, 0,  0,
		0,    0,  0,     0,  0,
		0, /* CREATE, EXCL */
		2,    24, 0,     0,  5,
		0,    0,  0,     8,  0,
		2,    0,  172,   16, 86,
		2, /* LOCAL */
		8,    0,  1,     0,  172,
		16,   86, 2, /* ADDRESS */
		8,    0,  4,     0,  172,
		16,   86, 255, /* BROADCAST */
		8,    0,  8,     0,  0,
		0,    0,  0, /* FLAGS */
		5,    0,  11,    0,  OWNER_TAG_PROTOCOL,
		0,    0,  0, /* PROTO */
	};
	struct prefix prefix;
	union message message;
	assert_true(prefix_parse("172.16.86.2/24", &prefix));
	assert_true(encode_addr_add(&message, 5, &prefix, managed, NLM_F_EXCL));
	assert_bytes(&message, expected, sizeof(expected));
}

static void test_neighbor_bytes(void **state)
{
	(void)state;
	/* clang-format off */
	uint8_t expected[] = {
		36, 0, 0, 0,  28, 0,  0, 4, 0, 0, 0, 0, 0, 0, 0, 0, /* NEWNEIGH, CREATE */
		2, 0, 0, 0,  5, 0, 0, 0,  0, 0,  1, 0,              /* link 5, NTF_USE */
		8, 0, 1, 0,  172, 16, 86, 2,                        /* DST */
	};
	/* clang-format on */
	struct ip ip;
	union message message;
	assert_true(ip_parse("172.16.86.2", &ip));
	assert_true(encode_neighbor_use(&message, 5, &ip));
	assert_bytes(&message, expected, sizeof(expected));
	assert_true(encode_neighbor_delete(&message, 5, &ip));
	expected[4] = RTM_DELNEIGH;
	expected[7] = 0;
	expected[26] = 0;
	assert_bytes(&message, expected, sizeof(expected));
}

/* An address with limited lifetimes: the kernel's own time stamps after them are ignored. */
static void test_address_lifetime(void **state)
{
	(void)state;
	struct prefix prefix;
	struct live_addr addr;
	union message message;
	bool proto;
	assert_true(prefix_parse("172.16.86.50/24", &prefix));
	assert_true(encode_addr_add(
		&message, 5, &prefix,
		(struct addr_terms){.protocol = OWNER_TAG_PROTOCOL, .valid = 120, .preferred = 60},
		NLM_F_REPLACE));
	assert_int_equal(decode_addr(&message.header, &addr, &proto), DECODED);
	assert_int_equal(addr.valid, 120);
	assert_int_equal(addr.preferred, 60);
	assert_true(encode_addr_add(&message, 5, &prefix, managed, NLM_F_REPLACE));
	assert_int_equal(decode_addr(&message.header, &addr, &proto), DECODED);
	assert_int_equal(addr.valid, 0);
}

static void test_address_round_trip(void **state)
{
	(void)state;
	static const char *const texts[] = {"10.0.0.1/8", "10.0.0.0/31", "10.0.0.1/32",
					    "fd00::5/64", "fd00::5/128"};
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct prefix prefix;
		struct live_addr addr;
		union message message;
		bool proto = false;
		assert_true(prefix_parse(texts[i], &prefix));
		assert_true(encode_addr_add(&message, 5, &prefix, managed, NLM_F_REPLACE));
		assert_int_equal(decode_addr(&message.header, &addr, &proto), DECODED);
		assert_true(prefix_equal(&addr.prefix, &prefix));
		assert_int_equal(addr.ifindex, 5);
		assert_int_equal(addr.proto, OWNER_TAG_PROTOCOL);
		assert_true(proto);
		assert_true(encode_addr_delete(&message, 5, &prefix));
		assert_int_equal(message.header.nlmsg_type, RTM_DELADDR);
	}
}

static void route_round_trip(const struct link_route *route)
{
	struct live_route live;
	union message message;
	assert_true(encode_route_add(&message, 5, route, NLM_F_EXCL));
	assert_int_equal(decode_route(&message.header, 0, &live), DECODED);
	assert_true(prefix_equal(&live.to, &route->to));
	assert_true(ip_equal(&live.via, &route->via));
	assert_true(ip_equal(&live.options.source, &route->options.source));
	assert_int_equal(live.ifindex, route->options.type ? 0 : 5);
	assert_int_equal(live.options.type, route->options.type);
	assert_int_equal(live.proto, OWNER_TAG_PROTOCOL);
	assert_int_equal(live.table, route->table);
	assert_int_equal(live.options.on_link, route->options.on_link);
	assert_int_equal(live.options.metric, route->options.metric);
	assert_int_equal(live.options.mtu, route->options.mtu);
	assert_int_equal(live.options.advmss, route->options.advmss);
	assert_int_equal(live.options.scope, route->options.scope);
}

static void test_route_round_trip(void **state)
{
	(void)state;
	static const struct {
		const char *to, *via, *source;
		uint32_t table;
		struct route_options options;
	} rows[] = {
		{"0.0.0.0/0", "172.16.86.1", NULL, 0, {.scope = SCOPE_GLOBAL}},
		{"172.16.86.2/32", NULL, "172.16.86.250", 0, {.scope = SCOPE_LINK}},
		{"::/0", "fd00::1", NULL, 0, {.scope = SCOPE_GLOBAL}},
		{"fd00::2/128", NULL, "fd00::9", 0, {.scope = SCOPE_GLOBAL}},
		{"0.0.0.0/0", "198.51.100.1", NULL, 100, {.scope = SCOPE_GLOBAL, .on_link = true}},
		{"10.0.0.0/8", NULL, NULL, 70000, {.scope = SCOPE_HOST, .metric = 7}},
		{"10.0.0.0/8",
		 "172.16.86.1",
		 NULL,
		 0,
		 {.scope = SCOPE_GLOBAL, .mtu = 1400, .advmss = 1360, .metric = 4294967295}},
		{"fd01::/16", "fe80::1", NULL, 0, {.scope = SCOPE_GLOBAL, .mtu = 1280}},
		{"10.0.0.0/8", NULL, NULL, 0, {.type = ROUTE_BLACKHOLE, .scope = SCOPE_GLOBAL}},
		{"0.0.0.0/0", NULL, NULL, 100, {.type = ROUTE_THROW, .scope = SCOPE_GLOBAL}},
		{"10.0.0.0/8",
		 NULL,
		 NULL,
		 300,
		 {.type = ROUTE_PROHIBIT, .scope = SCOPE_GLOBAL, .metric = 7}},
		{"fd01::/16", NULL, NULL, 0, {.type = ROUTE_UNREACHABLE, .scope = SCOPE_GLOBAL}},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct link_route route = {.table = rows[i].table, .options = rows[i].options};
		assert_true(prefix_parse(rows[i].to, &route.to));
		assert_true(!rows[i].via || ip_parse(rows[i].via, &route.via));
		assert_true(!rows[i].source || ip_parse(rows[i].source, &route.options.source));
		route_round_trip(&route);
	}
}

/* IPv4 routes have a scope of their own, unless one is set. */
static void test_route_scope(void **state)
{
	(void)state;
	struct link_route route = {.to = {.ip = {.family = AF_INET}}};
	struct live_route live;
	union message message;
	assert_true(encode_route_add(&message, 5, &route, NLM_F_EXCL));
	assert_int_equal(decode_route(&message.header, 0, &live), DECODED);
	assert_int_equal(live.options.scope, SCOPE_LINK);
	assert_true(ip_parse("172.16.86.1", &route.via));
	assert_true(encode_route_add(&message, 5, &route, NLM_F_EXCL));
	assert_int_equal(decode_route(&message.header, 0, &live), DECODED);
	assert_int_equal(live.options.scope, SCOPE_GLOBAL);
}

static void test_rule_round_trip(void **state)
{
	(void)state;
	struct policy_rule rules[] = {
		{.priority = 32763, .table = POLICY_TABLE_ANSWERS},
		{.priority = 32763},
		{.priority = 32764, .no_default = true, .from.ip.family = AF_INET},
		{.priority = 32765, .table = POLICY_TABLE, .from.ip.family = AF_INET6},
		{.priority = 500, .table = 100, .from.ip.family = AF_INET},
		{.priority = 501, .table = 70000, .from.ip.family = AF_INET6},
	};
	assert_true(prefix_parse("172.17.0.2/32", &rules[0].from));
	assert_true(prefix_parse("fd00:17::2/128", &rules[1].from));
	assert_true(prefix_parse("10.0.0.0/8", &rules[4].to));
	assert_true(prefix_parse("fd00:18::/64", &rules[5].from));
	assert_true(prefix_parse("fd00:17::/64", &rules[5].to));
	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
		struct live_rule live;
		union message message;
		assert_true(encode_rule_add(&message, &rules[i]));
		assert_int_equal(decode_rule(&message.header, &live), DECODED);
		assert_true(policy_rule_equal(&live.rule, &rules[i]));
		assert_int_equal(live.proto, OWNER_TAG_PROTOCOL);
		assert_false(live.other);
		assert_true(live_rule_managed(&live));
		assert_true(encode_rule_delete(&message, &rules[i]));
		assert_int_equal(message.header.nlmsg_type, RTM_DELRULE);
	}
}

/* Anything that limits a rule, or leads elsewhere, makes it another program's. */
static void test_rule_other(void **state)
{
	(void)state;
	static const uint16_t attributes[] = {FRA_IIFNAME, FRA_OIFNAME, FRA_FWMARK, FRA_UID_RANGE,
					      FRA_SUPPRESS_IFGROUP};
	const struct policy_rule rule = {.priority = 32765, .from.ip.family = AF_INET};
	struct live_rule live;
	union message message;
	for (size_t i = 0; i < sizeof(attributes) / sizeof(attributes[0]); i++) {
		assert_true(encode_rule_add(&message, &rule));
		mnl_attr_put_u32(&message.header, attributes[i], 7);
		assert_int_equal(decode_rule(&message.header, &live), DECODED);
		assert_true(live.other);
	}
	assert_true(encode_rule_add(&message, &rule));
	struct fib_rule_hdr *header = mnl_nlmsg_get_payload(&message.header);
	header->flags = FIB_RULE_INVERT;
	assert_int_equal(decode_rule(&message.header, &live), DECODED);
	assert_true(live.other);
	header->flags = 0;
	header->action = FR_ACT_BLACKHOLE;
	assert_int_equal(decode_rule(&message.header, &live), DECODED);
	assert_true(live.other);
	header->family = AF_UNSPEC;
	assert_int_equal(decode_rule(&message.header, &live), DECODE_SKIP);
	header->family = AF_INET;
	header->src_len = 33;
	assert_int_equal(decode_rule(&message.header, &live), DECODE_BAD);
}

/* The longest allowed values fit; invalid ones are refused, not cut. */
static void test_limits(void **state)
{
	(void)state;
	char alias[3000];
	union message message;
	memset(alias, 'a', sizeof(alias));
	alias[ALIAS_LENGTH_MAX] = '\0';
	assert_true(encode_link_alias(&message, 1, alias));
	alias[ALIAS_LENGTH_MAX] = 'a';
	alias[sizeof(alias) - 1] = '\0';
	assert_false(encode_link_alias(&message, 1, alias));
	assert_false(encode_link_alias(&message, 1, NULL));
	const struct link_spec vlan = {.kind = KIND_VLAN};
	assert_false(encode_link_change(
		&message, 1, &(struct link_change){.spec = &vlan, .values = 1U << VALUE_MODE}));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_create),
		cmocka_unit_test(test_omitted_values),
		cmocka_unit_test(test_kinds),
		cmocka_unit_test(test_address),
		cmocka_unit_test(test_neighbor_bytes),
		cmocka_unit_test(test_address_round_trip),
		cmocka_unit_test(test_address_lifetime),
		cmocka_unit_test(test_route_round_trip),
		cmocka_unit_test(test_route_scope),
		cmocka_unit_test(test_rule_round_trip),
		cmocka_unit_test(test_rule_other),
		cmocka_unit_test(test_limits),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
