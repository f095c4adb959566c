/* Decoding rtnetlink messages: captured from kernels, made by hand, truncated and corrupted. */
#include "kernel/netlink.h"
#include "kernel/netlink_internal.h"
#include "kernel/rtnl_decode.h"
#include "reconcile/state/state.h"
#include "tests/unit/native_order.h"

#include <errno.h>
#include <limits.h>
#include <linux/if.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/net_namespace.h>
#include <linux/rtnetlink.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <setjmp.h>

#include <cmocka.h>

/* As two kernels sent them, in hexadecimal digits; the numbers are the kernel's version. */
static const char macvlan_6_18[] =
	"e00400001000020001000000c773000000000100b715460043100100000000000900030065746830"
	"0000000008000d00e803000005001000060000000500110000000000050043000000000008000400"
	"dc050000080032004400000008003300ffff000008001b000000000008001e000000000008003d00"
	"0000000008001f000100000008002800ffff0000080029000000010008003a000000010008003f00"
	"00000100080040000000010008003b00f8ff070008003c00ffff0000080042000000000008002000"
	"0100000005002100010000001f0014006d766170706c793a6174746163683a6c61622f6e65742f77"
	"65620000080023000000000008002f00000000000800300000000000060044000000000006004500"
	"0000000005002700000000000a0001000242ac10560200000a000200ffffffffffff0000cc001700"
	"0000000000000000040000000000000000000000000000005c010000000000000000000000000000"
	"00000000000000000000000000000000000000000000000000000000000000000000000000000000"
	"00000000000000000000000000000000000000000000000000000000000000000000000000000000"
	"00000000000000000000000000000000000000000000000000000000000000000000000000000000"
	"00000000000000000000000000000000000000000000000000000000000000000000000000000000"
	"640007000000000004000000000000005c0100000000000000000000000000000000000000000000"
	"00000000000000000000000000000000000000000000000000000000000000000000000000000000"
	"00000000000000000000000000000000000000000c002b0005000200000000003c0012000c000100"
	"6d6163766c616e002c00020008000100040000000600020000000000080006000000000008000700"
	"e803000008000800e8030000080025000000000008000500030000000c0006006e6f717565756500"
	"c0011a008c0002008800010000000000000000000000000001000000010000000100000001000000"
	"00000000010000000000000000000000000000000000000000000000000000000000000000000000"
	"00000000000000000000000000000000000000000000000000000000000000000000000010270000"
	"e8030000000000000000000000000000000000000100000030010a00080001000000008014000500"
	"ffff00008fb80e006ca60000e8030000f40002000000000040000000dc0500000000000001000000"
	"0100000001000000ffffffffa00f0000e803000000000000803a0900805101000300000058020000"
	"100000000000000001000000010000000100000060ea000000000000000000000000000000000000"
	"000000000000000001000000000000000000000010270000e8030000010000000000000000000000"
	"010000000000000000000000010000000000000000000000000000000000000080ee360000000000"
	"000000000100000000000000000000000000000000000000000000000004000000000000ffff0000"
	"ffffffff010000000000000000000000000000001400070000000000000000000000000000000000"
	"050008000000000024000e0000000000000000000000000000000000000000000000000000000000"
	"0000000024003480080035006c616e0015003500616e6f746865726c6f6e676e616d653000000000"
	"04003e8004004180";
static const char vlan_6_1[] =
	"640400001000020001000000d902000000000100846d2a0043100100000000000c00030065746830"
	"2e31310008000d00e80300000500100006000000050011000000000008000400dc05000008003200"
	"0000000008003300ffff000008001b000000000008001e000000000008003d000000000008001f00"
	"0100000008002800ffff0000080029000000010008003a000000010008003b00f8ff070008003c00"
	"ffff000005002100010000000c0006006e6f717565756500150014006d766170706c793a766c616e"
	"3a6c616200000000080023000000000008002f000000000008003000000000000500270000000000"
	"04002a0024000e000000000000000000000000000000000000000000000000000000000000000000"
	"0a000100c6ab07992db800000a000200ffffffffffff000004002a00cc0017000000000000000000"
	"04000000000000000000000000000000340100000000000000000000000000000000000000000000"
	"00000000000000000000000000000000000000000000000000000000000000000000000000000000"
	"00000000000000000000000000000000000000000000000000000000000000000000000000000000"
	"00000000000000000000000000000000000000000000000000000000000000000000000000000000"
	"00000000000000000000000000000000000000000000000000000000000000006400070000000000"
	"04000000000000003401000000000000000000000000000000000000000000000000000000000000"
	"00000000000000000000000000000000000000000000000000000000000000000000000000000000"
	"0000000000000000000000000c002b0005000200000000003000120009000100766c616e00000000"
	"200002000600050088a80000060001000b0000000c00020001000000ffffffff0800050003000000"
	"bc011a008c0002008800010000000000000000000000000001000000010000000100000001000000"
	"00000000010000000000000000000000000000000000000000000000000000000000000000000000"
	"00000000000000000000000000000000000000000000000000000000000000000000000010270000"
	"e803000000000000000000000000000000000000010000002c010a00080001000000008014000500"
	"ffff00004f050000a0870000e8030000f00002000000000040000000dc0500000100000001000000"
	"0100000001000000ffffffffa00f0000e803000000000000803a0900805101000300000058020000"
	"100000000000000001000000010000000100000060ea000000000000000000000000000000000000"
	"000000000000000001000000000000000000000010270000e8030000010000000000000000000000"
	"010000000000000000000000010000000000000000000000000000000000000080ee360000000000"
	"000000000100000000000000000000000000000000000000000000000004000000000000ffff0000"
	"ffffffff010000000000000000000000140007000000000000000000000000000000000005000800"
	"00000000";
static const char ipvlan_6_1[] =
	"700400001000020001000000da02000000000100876d2a00c3100100000000000900030065746831"
	"0000000008000d00e80300000500100000000000050011000000000008000400dc05000008003200"
	"4400000008003300ffff000008001b000000000008001e000000000008003d000000000008001f00"
	"0100000008002800ffff0000080029000000010008003a000000010008003b00f8ff070008003c00"
	"ffff000005002100010000000c0006006e6f7175657565001b0014006d766170706c793a61747461"
	"63683a6c61622f692f610000080023000000000008002f0000000000080030000000000005002700"
	"0000000004002a0024000e0000000000000000000000000000000000000000000000000000000000"
	"000000000a000100c6ab07992db800000a000200ffffffffffff000004002a00cc00170000000000"
	"00000000000000000000000000000000000000000000000000000000000000000000000000000000"
	"00000000000000000000000000000000000000000000000000000000000000000000000000000000"
	"00000000000000000000000000000000000000000000000000000000000000000000000000000000"
	"00000000000000000000000000000000000000000000000000000000000000000000000000000000"
	"00000000000000000000000000000000000000000000000000000000000000000000000064000700"
	"00000000000000000000000000000000000000000000000000000000000000000000000000000000"
	"00000000000000000000000000000000000000000000000000000000000000000000000000000000"
	"000000000000000000000000000000000c002b000500020000000000240012000b0001006970766c"
	"616e00001400020006000100010000000600020000000000080025000000000008000500856d2a00"
	"0a003600c6ab07992db80000bc011a008c0002008800010000000000000000000000000001000000"
	"01000000010000000100000000000000010000000000000000000000000000000000000000000000"
	"00000000000000000000000000000000000000000000000000000000000000000000000000000000"
	"000000000000000010270000e803000000000000000000000000000000000000010000002c010a00"
	"080001000000008014000500ffff0000620500004aab0000e8030000f00002000000000040000000"
	"dc05000000000000010000000100000001000000ffffffffa00f0000e803000000000000803a0900"
	"805101000300000058020000100000000000000001000000010000000100000060ea000000000000"
	"000000000000000000000000000000000000000001000000000000000000000010270000e8030000"
	"01000000000000000000000001000000000000000000000001000000000000000000000000000000"
	"0000000080ee36000000000000000000010000000000000000000000000000000000000000000000"
	"0004000000000000ffff0000ffffffff010000000000000000000000140007000000000000000000"
	"00000000000000000500080000000000";
static const char addr4_6_18[] =
	"600000001400020001000000c973000002188000b715460008000100ac10560208000200ac105602"
	"08000400ac1056ff09000300657468300000000005000b004d000000080008008000000014000600"
	"ffffffffffffffff8fb80e008fb80e00";
static const char addr6_6_18[] =
	"500000001400020001000000c97300000a408200b715460014000100fd0000860000000000000000"
	"0000000214000600ffffffffffffffff8fb80e008fb80e00080008008200000005000b004d000000";
static const char multipath_6_18[] =
	"500000001800220001000000cb73000002100000fe0300010000000008000f00fe00000008000100"
	"0a0700002400090010000000b715460008000500ac10560110000000b715460008000500ac105609";
static const char default6_6_18[] =
	"740000001800220001000000cb7300000a000000fe4d00010000000008000f00fe00000008000600"
	"0004000014000500fd00008600000000000000000000000108000400b715460024000c0000000000"
	"000000000000000000000000000000000000000000000000000000000500140000000000";
static const char default4_6_18[] =
	"340000001800220001000000cb73000002000000fe4d00010000000008000f00fe00000008000500"
	"ac10560108000400b7154600";
static const char local4_6_18[] =
	"3c0000001800220001000000cb73000002200000ff02fe020000000008000f00ff00000008000100"
	"ac10560208000700ac10560208000400b7154600";

/* In a heap block of its own, so that the sanitizer detects reads beyond it. */
struct captured {
	struct nlmsghdr *message;
	size_t size;
};

static struct captured captured(const char *digits)
{
	struct captured captured = {.size = strlen(digits) / 2};
	uint8_t *bytes = malloc(captured.size);
	assert_non_null(bytes);
	for (size_t i = 0; i < captured.size; i++) {
		const char pair[3] = {digits[2 * i], digits[2 * i + 1], '\0'};
		bytes[i] = (uint8_t)strtoul(pair, NULL, 16);
	}
	native_order(bytes, captured.size);
	captured.message = (struct nlmsghdr *)(void *)bytes;
	assert_int_equal(captured.message->nlmsg_len, captured.size);
	return captured;
}

static struct live_link link_of(struct arena *arena, const char *digits, struct parent_ref *parent)
{
	struct captured c = captured(digits);
	struct live_link link;
	assert_int_equal(decode_link(arena, c.message, &link, parent), DECODED);
	free(c.message);
	return link;
}

static void test_macvlan(void **state)
{
	(void)state;
	struct arena *arena = arena_new();
	struct parent_ref parent;
	const struct live_link link = link_of(arena, macvlan_6_18, &parent);
	char mac[MAC_TEXT_SIZE];
	assert_string_equal(link.name, "eth0");
	assert_int_equal(link.kind, KIND_MACVLAN);
	assert_string_equal(link.kind_name, "macvlan");
	assert_string_equal(link.alias, "mvapply:attach:lab/net/web");
	assert_int_equal(link.tag.role, ROLE_ATTACH);
	assert_string_equal(link.tag.container, "web");
	assert_string_equal(mac_format(&link.mac, mac), "02:42:ac:10:56:02");
	assert_int_equal(link.mtu, 1500);
	assert_true(link.flags & IFF_UP);
	assert_int_equal(link.parent, 3);
	assert_true(parent.other_netns);
	assert_int_equal(parent.nsid, 0);
	assert_true(link.mode_known);
	assert_int_equal(link.mode, MODE_BRIDGE);
	assert_true(link.has_bcqueuelen);
	assert_int_equal(link.bcqueuelen, 1000);
	assert_int_equal(link.n_altnames, 2);
	assert_string_equal(link.altnames[0], "lan");
	assert_string_equal(link.altnames[1], "anotherlongname0");
	assert_string_equal(live_sysctl(&link, "net.ipv6.conf.IFNAME.accept_ra"), "0");
	arena_free(arena);
}

static void test_vlan(void **state)
{
	(void)state;
	struct arena *arena = arena_new();
	struct parent_ref parent;
	const struct live_link link = link_of(arena, vlan_6_1, &parent);
	assert_string_equal(link.name, "eth0.11");
	assert_int_equal(link.kind, KIND_VLAN);
	assert_int_equal(link.vlan, 11);
	assert_int_equal(link.vlan_protocol, VLAN_8021AD);
	assert_int_equal(link.parent, 3);
	assert_false(parent.other_netns);
	assert_true(owner_tag_has_set(&link.tag, "lab"));
	arena_free(arena);
}

static void test_ipvlan(void **state)
{
	(void)state;
	struct arena *arena = arena_new();
	struct parent_ref parent;
	const struct live_link link = link_of(arena, ipvlan_6_1, &parent);
	assert_int_equal(link.kind, KIND_IPVLAN);
	assert_true(link.mode_known);
	assert_int_equal(link.mode, MODE_L3);
	assert_false(link.has_bcqueuelen);
	assert_true(link.flags & IFF_NOARP);
	assert_true(parent.other_netns);
	arena_free(arena);
}

static void test_addresses(void **state)
{
	(void)state;
	struct live_addr addr;
	char text[PREFIX_TEXT_SIZE];
	bool proto = false;
	struct captured c = captured(addr4_6_18);
	assert_int_equal(decode_addr(c.message, &addr, &proto), DECODED);
	assert_string_equal(prefix_format(&addr.prefix, text), "172.16.86.2/24");
	assert_int_equal(addr.proto, OWNER_TAG_PROTOCOL);
	assert_true(proto);
	free(c.message);
	c = captured(addr6_6_18);
	assert_int_equal(decode_addr(c.message, &addr, &proto), DECODED);
	assert_string_equal(prefix_format(&addr.prefix, text), "fd00:86::2/64");
	assert_true(addr.flags & IFA_F_NODAD);
	free(c.message);
}

static enum decoded route_of(const char *digits, struct live_route *ret)
{
	struct captured c = captured(digits);
	enum decoded decoded = decode_route(c.message, 0, ret);
	free(c.message);
	return decoded;
}

static void test_routes(void **state)
{
	(void)state;
	struct live_route route;
	char text[PREFIX_TEXT_SIZE], via[IP_TEXT_SIZE];
	assert_int_equal(route_of(multipath_6_18, &route), DECODED);
	assert_string_equal(prefix_format(&route.to, text), "10.7.0.0/16");
	assert_string_equal(ip_format(&route.via, via), "172.16.86.1");
	assert_true(route.ifindex > 0);
	assert_int_equal(route_of(default4_6_18, &route), DECODED);
	assert_int_equal(route.to.len, 0);
	assert_int_equal(route.to.ip.family, AF_INET);
	assert_int_equal(route.proto, OWNER_TAG_PROTOCOL);
	assert_int_equal(route_of(default6_6_18, &route), DECODED);
	assert_int_equal(route.to.ip.family, AF_INET6);
	assert_string_equal(ip_format(&route.via, via), "fd00:86::1");
	assert_int_equal(route.options.metric, 1024);
	assert_int_equal(route_of(local4_6_18, &route), DECODE_SKIP);
}

/* Messages that the kernel never sends are refused, and never read past their end. */
static void decode_all(struct arena *arena, const struct nlmsghdr *message)
{
	struct live_link link;
	struct live_addr addr;
	struct live_route route;
	struct parent_ref parent;
	bool proto;
	int nsid;
	decode_link(arena, message, &link, &parent);
	decode_addr(message, &addr, &proto);
	decode_route(message, 0, &route);
	struct live_rule rule;
	decode_rule(message, &rule);
	decode_nsid(message, &nsid);
	struct mac mac;
	decode_fdb(message, &nsid, &mac);
	struct live_neighbor neighbor;
	decode_neighbor(message, &neighbor);
}

static const char *const all[] = {macvlan_6_18,  vlan_6_1,      ipvlan_6_1,
				  addr4_6_18,    addr6_6_18,    multipath_6_18,
				  default6_6_18, default4_6_18, local4_6_18};
#define N_ALL (sizeof(all) / sizeof(all[0]))

static void test_truncated(void **state)
{
	(void)state;
	struct arena *arena = arena_new();
	for (size_t i = 0; i < N_ALL; i++) {
		struct captured c = captured(all[i]);
		for (size_t size = sizeof(*c.message); size < c.size; size++) {
			struct nlmsghdr *cut = malloc(size);
			assert_non_null(cut);
			memcpy(cut, c.message, size);
			cut->nlmsg_len = (uint32_t)size;
			decode_all(arena, cut);
			free(cut);
		}
		free(c.message);
	}
	arena_free(arena);
}

/* Each 16 bits in turn, which includes every length. */
static void test_corrupted(void **state)
{
	(void)state;
	static const uint16_t values[] = {0, 1, 3, 4, 5, 0x7fff, 0x8000, 0xffff};
	struct arena *arena = arena_new();
	for (size_t i = 0; i < N_ALL; i++) {
		struct captured c = captured(all[i]);
		for (size_t at = sizeof(*c.message); at + 2 <= c.size; at += 2)
			for (size_t k = 0; k < sizeof(values) / sizeof(values[0]); k++) {
				uint16_t saved;
				memcpy(&saved, (uint8_t *)c.message + at, sizeof(saved));
				memcpy((uint8_t *)c.message + at, &values[k], sizeof(saved));
				decode_all(arena, c.message);
				memcpy((uint8_t *)c.message + at, &saved, sizeof(saved));
			}
		free(c.message);
	}
	arena_free(arena);
}

/* Made by hand. */
union made {
	struct nlmsghdr header;
	char bytes[512];
};

static void *make(union made *made, uint16_t type, size_t header)
{
	memset(made, 0, sizeof(*made));
	mnl_nlmsg_put_header(made)->nlmsg_type = type;
	return mnl_nlmsg_put_extra_header(&made->header, header);
}

static void test_wrong_sizes(void **state)
{
	(void)state;
	struct arena *arena = arena_new();
	union made made;
	struct live_link link;
	struct live_addr addr;
	struct parent_ref parent;
	bool proto = false;

	make(&made, RTM_NEWLINK, sizeof(struct ifinfomsg));
	assert_int_equal(decode_link(arena, &made.header, &link, &parent), DECODE_BAD);
	mnl_attr_put_str(&made.header, IFLA_IFNAME, "x");
	mnl_attr_put_str(&made.header, IFLA_PARENT_DEV_BUS_NAME, "virtio");
	mnl_attr_put_str(&made.header, IFLA_PARENT_DEV_NAME, "virtio2");
	assert_int_equal(decode_link(arena, &made.header, &link, &parent), DECODED);
	assert_false(link.mac.set);
	assert_string_equal(link.alias, "");
	assert_string_equal(link.device_bus, "virtio");
	assert_string_equal(link.device, "virtio2");
	mnl_attr_put_u64(&made.header, IFLA_MTU, 1500);
	assert_int_equal(decode_link(arena, &made.header, &link, &parent), DECODE_BAD);

	struct ifaddrmsg *header = make(&made, RTM_NEWADDR, sizeof(*header));
	header->ifa_family = AF_INET;
	header->ifa_prefixlen = 33;
	mnl_attr_put_u32(&made.header, IFA_LOCAL, 1);
	assert_int_equal(decode_addr(&made.header, &addr, &proto), DECODE_BAD);
	header->ifa_prefixlen = 32;
	assert_int_equal(decode_addr(&made.header, &addr, &proto), DECODED);
	assert_false(proto);
	header->ifa_family = AF_INET6;
	assert_int_equal(decode_addr(&made.header, &addr, &proto), DECODE_BAD);
	header->ifa_family = AF_PACKET;
	assert_int_equal(decode_addr(&made.header, &addr, &proto), DECODE_SKIP);
	arena_free(arena);
}

/* A name without its terminator, and a link address that is not Ethernet's. */
static void test_unusual_link(void **state)
{
	(void)state;
	struct arena *arena = arena_new();
	union made made;
	struct live_link link;
	struct parent_ref parent;
	make(&made, RTM_NEWLINK, sizeof(struct ifinfomsg));
	mnl_attr_put(&made.header, IFLA_IFNAME, 3, "abc");
	mnl_attr_put(&made.header, IFLA_ADDRESS, 4, "\1\2\3\4");
	mnl_attr_put(&made.header, IFLA_PERM_ADDRESS, 6, "\1\2\3\4\5\6");
	struct nlattr *info = mnl_attr_nest_start(&made.header, IFLA_LINKINFO);
	mnl_attr_put_str(&made.header, IFLA_INFO_KIND, "macvlan");
	struct nlattr *data = mnl_attr_nest_start(&made.header, IFLA_INFO_DATA);
	mnl_attr_put_u32(&made.header, IFLA_MACVLAN_MODE, MACVLAN_MODE_SOURCE);
	mnl_attr_nest_end(&made.header, data);
	mnl_attr_nest_end(&made.header, info);
	assert_int_equal(decode_link(arena, &made.header, &link, &parent), DECODED);
	assert_string_equal(link.name, "abc");
	assert_false(link.mac.set);
	assert_true(link.permanent_mac.set);
	assert_memory_equal(link.permanent_mac.bytes, "\1\2\3\4\5\6", 6);
	assert_false(link.mode_known);
	arena_free(arena);
}

/* Names that root of a container can give its links. */
static void test_names_that_steer_a_terminal(void **state)
{
	(void)state;
	struct arena *arena = arena_new();
	union made made;
	struct live_link link;
	struct parent_ref parent;
	make(&made, RTM_NEWLINK, sizeof(struct ifinfomsg));
	mnl_attr_put_str(&made.header, IFLA_IFNAME, "\033[31m\302\233\377\303\244");
	mnl_attr_put_str(&made.header, IFLA_IFALIAS, "mvapply:attach:a/b/\033c");
	struct nlattr *list = mnl_attr_nest_start(&made.header, IFLA_PROP_LIST);
	mnl_attr_put_str(&made.header, IFLA_ALT_IFNAME, "\a");
	mnl_attr_nest_end(&made.header, list);
	assert_int_equal(decode_link(arena, &made.header, &link, &parent), DECODED);
	assert_string_equal(link.name, "\\x1b[31m\\xc2\\x9b\\xff\303\244");
	assert_string_equal(link.alias, "mvapply:attach:a/b/\\x1bc");
	assert_int_equal(link.tag.role, ROLE_NONE);
	assert_int_equal(link.n_altnames, 1);
	assert_string_equal(link.altnames[0], "\\x07");
	arena_free(arena);
}

static void test_via_of_another_family(void **state)
{
	(void)state;
	union made made;
	struct live_route route;
	char text[IP_TEXT_SIZE];
	/* struct rtvia: the family in two bytes, then the address */
	uint8_t via[18] = {[2] = 0xfe, [3] = 0x80, [17] = 1};
	const uint16_t family = AF_INET6;
	memcpy(via, &family, sizeof(family));
	struct rtmsg *header = make(&made, RTM_NEWROUTE, sizeof(*header));
	header->rtm_family = AF_INET;
	header->rtm_table = RT_TABLE_MAIN;
	header->rtm_type = RTN_UNICAST;
	mnl_attr_put(&made.header, RTA_VIA, sizeof(via), via);
	assert_int_equal(decode_route(&made.header, 0, &route), DECODED);
	assert_string_equal(ip_format(&route.via, text), "fe80::1");
	header->rtm_flags = RTM_F_CLONED;
	assert_int_equal(decode_route(&made.header, 0, &route), DECODE_SKIP);
	header->rtm_flags = 0;
	assert_int_equal(decode_route(&made.header, 0, &route), DECODED);
	assert_int_equal(route.table, 0);
	mnl_attr_put_u32(&made.header, RTA_TABLE, 1000);
	assert_int_equal(decode_route(&made.header, 0, &route), DECODED);
	assert_int_equal(route.table, 1000);
}

static void hop_put(struct nlmsghdr *header, int ifindex, uint32_t via)
{
	const struct rtnexthop hop = {.rtnh_len = sizeof(hop) + 8, .rtnh_ifindex = ifindex};
	const struct nlattr attr = {.nla_len = 8, .nla_type = RTA_GATEWAY};
	char *end = (char *)header + header->nlmsg_len;
	memcpy(end, &hop, sizeof(hop));
	memcpy(end + sizeof(hop), &attr, sizeof(attr));
	memcpy(end + sizeof(hop) + sizeof(attr), &via, sizeof(via));
	header->nlmsg_len += hop.rtnh_len;
}

static void test_next_hops(void **state)
{
	(void)state;
	union made made;
	struct live_route route;
	char text[IP_TEXT_SIZE];
	struct rtmsg *header = make(&made, RTM_NEWROUTE, sizeof(*header));
	header->rtm_family = AF_INET;
	header->rtm_table = RT_TABLE_MAIN;
	header->rtm_type = RTN_UNICAST;
	assert_int_equal(decode_route(&made.header, 0, &route), DECODED);
	assert_int_equal(decode_route(&made.header, 1, &route), DECODE_SKIP);
	struct nlattr *hops = mnl_attr_nest_start(&made.header, RTA_MULTIPATH);
	hop_put(&made.header, 3, htonl(0x0a5a0001));
	hop_put(&made.header, 4, htonl(0x0a5b0001));
	mnl_attr_nest_end(&made.header, hops);
	for (size_t hop = 0; hop < 2; hop++) {
		assert_int_equal(decode_route(&made.header, hop, &route), DECODED);
		assert_int_equal(route.ifindex, 3 + (int)hop);
		assert_string_equal(ip_format(&route.via, text), hop ? "10.91.0.1" : "10.90.0.1");
	}
	assert_int_equal(decode_route(&made.header, 2, &route), DECODE_SKIP);
	hops->nla_len -= 4; /* the second is cut off */
	made.header.nlmsg_len -= 4;
	assert_int_equal(decode_route(&made.header, 0, &route), DECODED);
	assert_int_equal(decode_route(&made.header, 1, &route), DECODE_BAD);
}

static void test_replies(void **state)
{
	static const int expected[] = {1, -4096, INT_MIN, INT_MAX};
	(void)state;
	union made made;
	struct reply reply;
	assert_int_equal(netlink_errnum(0), 0);
	assert_int_equal(netlink_errnum(-EPERM), EPERM);
	for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++)
		assert_int_equal(netlink_errnum(expected[i]), EPROTO);
	struct nlmsgerr *error = make(&made, NLMSG_ERROR, sizeof(*error));
	error->error = -EBUSY;
	assert_true(reply_decode(&made.header, &reply));
	assert_int_equal(reply.errnum, EBUSY);
	made.header.nlmsg_len -= 4;
	assert_false(reply_decode(&made.header, &reply));
	make(&made, NLMSG_DONE, sizeof(*error));
	assert_false(reply_decode(&made.header, &reply));
}

static void test_nsid(void **state)
{
	(void)state;
	union made made;
	int nsid = 5;
	make(&made, RTM_NEWNSID, sizeof(struct rtgenmsg));
	assert_int_equal(decode_nsid(&made.header, &nsid), DECODE_BAD);
	mnl_attr_put_u32(&made.header, NETNSA_NSID, (uint32_t)NETNSA_NSID_NOT_ASSIGNED);
	assert_int_equal(decode_nsid(&made.header, &nsid), DECODED);
	assert_int_equal(nsid, NETNSA_NSID_NOT_ASSIGNED);
}

static void test_fdb(void **state)
{
	(void)state;
	static const uint8_t bytes[] = {2, 0x42, 172, 16, 86, 2};
	union made made;
	struct mac mac;
	int ifindex;
	make(&made, RTM_NEWNEIGH, sizeof(struct ndmsg));
	struct ndmsg *entry = mnl_nlmsg_get_payload(&made.header);
	entry->ndm_ifindex = 7;
	assert_int_equal(decode_fdb(&made.header, &ifindex, &mac), DECODE_SKIP);
	entry->ndm_family = AF_BRIDGE;
	assert_int_equal(decode_fdb(&made.header, &ifindex, &mac), DECODE_SKIP);
	mnl_attr_put(&made.header, NDA_LLADDR, sizeof(bytes), bytes);
	assert_int_equal(decode_fdb(&made.header, &ifindex, &mac), DECODED);
	assert_int_equal(ifindex, 7);
	assert_true(mac.set);
	assert_memory_equal(mac.bytes, bytes, sizeof(bytes));
	make(&made, RTM_NEWNEIGH, sizeof(struct ndmsg));
	entry->ndm_family = AF_BRIDGE;
	mnl_attr_put(&made.header, NDA_LLADDR, 4, bytes);
	assert_int_equal(decode_fdb(&made.header, &ifindex, &mac), DECODE_BAD);
	make(&made, RTM_NEWLINK, sizeof(struct ndmsg));
	assert_int_equal(decode_fdb(&made.header, &ifindex, &mac), DECODE_BAD);
}

static void test_neighbor(void **state)
{
	(void)state;
	static const uint8_t mac[] = {2, 0x42, 172, 16, 86, 2}, ip[] = {172, 16, 86, 2};
	union made made;
	struct live_neighbor neighbor;
	make(&made, RTM_NEWNEIGH, sizeof(struct ndmsg));
	struct ndmsg *entry = mnl_nlmsg_get_payload(&made.header);
	entry->ndm_ifindex = 7;
	entry->ndm_family = AF_INET;
	mnl_attr_put(&made.header, NDA_DST, sizeof(ip), ip);
	assert_int_equal(decode_neighbor(&made.header, &neighbor), DECODE_SKIP); /* incomplete */
	mnl_attr_put(&made.header, NDA_LLADDR, sizeof(mac), mac);
	assert_int_equal(decode_neighbor(&made.header, &neighbor), DECODED);
	assert_int_equal(neighbor.ifindex, 7);
	assert_memory_equal(neighbor.mac.bytes, mac, sizeof(mac));
	assert_int_equal(neighbor.ip.family, AF_INET);
	assert_memory_equal(neighbor.ip.bytes, ip, sizeof(ip));
	entry->ndm_state = NUD_PERMANENT;
	assert_int_equal(decode_neighbor(&made.header, &neighbor), DECODE_SKIP);
	entry->ndm_state = 0;
	entry->ndm_family = AF_INET6;
	assert_int_equal(decode_neighbor(&made.header, &neighbor), DECODE_BAD);
	entry->ndm_family = AF_BRIDGE;
	assert_int_equal(decode_neighbor(&made.header, &neighbor), DECODE_SKIP);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_macvlan),
		cmocka_unit_test(test_vlan),
		cmocka_unit_test(test_ipvlan),
		cmocka_unit_test(test_addresses),
		cmocka_unit_test(test_routes),
		cmocka_unit_test(test_truncated),
		cmocka_unit_test(test_corrupted),
		cmocka_unit_test(test_wrong_sizes),
		cmocka_unit_test(test_unusual_link),
		cmocka_unit_test(test_names_that_steer_a_terminal),
		cmocka_unit_test(test_via_of_another_family),
		cmocka_unit_test(test_next_hops),
		cmocka_unit_test(test_replies),
		cmocka_unit_test(test_nsid),
		cmocka_unit_test(test_fdb),
		cmocka_unit_test(test_neighbor),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
