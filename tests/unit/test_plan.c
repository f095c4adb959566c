/* The plan, on values alone: each row edits an applied set and names the operations expected. */
#include "kernel/kernel_features.h"
#include "tests/unit/world.h"

#include <linux/rtnetlink.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define NET(name, keys) "networks: {" name ": {" keys "}}\n"
#define LAN(keys)       NET("lan", "parent: eth0, subnet: 172.16.86.0/24" keys)
#define LAN_GW(keys)    LAN(", gateway: 172.16.86.1" keys)
#define WEB             "containers: {web: {networks: [lan]}}\n"
#define WEB_DB          "containers: {web: {networks: [lan]}, db: {networks: [lan]}}\n"
#define WEB_WITH(keys)  "containers: {web: {networks: {lan: {" keys "}}}}\n"
#define TWO_NETS(a, b)                                                                             \
	"networks: {a: {parent: eth0, subnet: 10.1.0.0/24, gateway: 10.1.0.1" a "}, "              \
	"b: {parent: eth1, subnet: 10.2.0.0/24, gateway: 10.2.0.1" b "}}\n"
#define TWO_ON_VLAN(a, b)                                                                          \
	"networks: {a: {parent: eth0, vlan: 10, vlan_protocol: " a ", subnet: 10.1.0.0/24}, "      \
	"b: {parent: eth0, vlan: 10, vlan_protocol: " b ", subnet: 10.2.0.0/24}}\n"                \
	"containers: {web: {networks: [a, b]}}\n"
#define PAIR(a, b) "containers: {web: {networks: {lan: {" a "}}}, db: {networks: {lan: {" b "}}}}\n"

struct edit {
	const char *name;
	const char *before, *after;
	const char *expected;
};

static const struct edit edits[] = {
	{"nothing", LAN_GW("") WEB, LAN_GW("") WEB, ""},
	{"fresh", "", LAN_GW("") WEB_DB, "create web/lan; create db/lan"},
	{"container added", LAN_GW("") WEB, LAN_GW("") WEB_DB, "create db/lan"},
	{"container removed", LAN_GW("") WEB_DB, LAN_GW("") WEB, "delete db/lan"},
	{"everything removed", LAN_GW("") WEB_DB, LAN_GW(""), "delete db/lan; delete web/lan"},
	{"mtu", LAN("") WEB, LAN(", mtu: 1400") WEB, "change web/lan mtu 1500 -> 1400"},
	{"mtu absent again", LAN(", mtu: 1400") WEB, LAN("") WEB,
	 "change web/lan mtu 1400 -> 1500"},
	{"mode private", LAN("") WEB, LAN(", mode: private") WEB,
	 "change web/lan mode bridge -> private"},
	{"mode vepa", LAN(", mode: private") WEB, LAN(", mode: vepa") WEB,
	 "change web/lan mode private -> vepa"},
	{"mode passthru", LAN("") WEB, LAN(", mode: passthru") WEB,
	 "replace web/lan mode bridge -> passthru"},
	{"passthru left", LAN(", mode: passthru") WEB, LAN("") WEB,
	 "replace web/lan mac_address 52:54:00:00:01:01 -> 02:42:ac:10:56:02, mode passthru -> "
	 "bridge"},
	{"bcqueuelen", LAN("") WEB, LAN(", bcqueuelen: 5000") WEB,
	 "change web/lan bcqueuelen 1000 -> 5000"},
	{"bcqueuelen absent again", LAN(", bcqueuelen: 5000") WEB, LAN("") WEB,
	 "change web/lan bcqueuelen 5000 -> 1000"},
	{"bclim", LAN("") WEB, LAN(", bclim: -1") WEB, "change web/lan bclim 1 -> -1"},
	{"bclim absent again", LAN(", bclim: 7") WEB, LAN("") WEB, "change web/lan bclim 7 -> 1"},
	{"bclim that is the default", LAN("") WEB, LAN(", bclim: 1") WEB, ""},
	{"ipvlan_flag", LAN(", driver: ipvlan") WEB, LAN(", driver: ipvlan, ipvlan_flag: vepa") WEB,
	 "change web/lan ipvlan_flag bridge -> vepa"},
	{"ipvlan_flag absent again", LAN(", driver: ipvlan, ipvlan_flag: private") WEB,
	 LAN(", driver: ipvlan") WEB, "change web/lan ipvlan_flag private -> bridge"},
	{"promisc of the network", LAN("") WEB, LAN(", promisc: true") WEB,
	 "change web/lan promisc false -> true"},
	{"promisc that an attachment overrides", LAN(", promisc: true") WEB,
	 LAN(", promisc: true") WEB_WITH("promisc: false"), "change web/lan promisc true -> false"},
	{"allmulticast, txqueuelen", LAN("") WEB,
	 LAN("") WEB_WITH("allmulticast: true, txqueuelen: 5"),
	 "change web/lan txqueuelen 1000 -> 5, allmulticast false -> true"},
	{"txqueuelen absent again", LAN(", txqueuelen: 7") WEB, LAN("") WEB,
	 "change web/lan txqueuelen 7 -> 1000"},
	{"altnames", LAN("") WEB_WITH("altnames: [a, b]"), LAN("") WEB_WITH("altnames: [b, c]"),
	 "change web/lan altname a -> none, altname none -> c"},
	{"altnames empty", LAN("") WEB_WITH("altnames: [a]"), LAN("") WEB_WITH("altnames: []"),
	 "change web/lan altname a -> none"},
	{"altnames absent", LAN("") WEB_WITH("altnames: [a]"), LAN("") WEB, ""},
	{"gateway added", LAN("") WEB_WITH("ipv4_address: 172.16.86.9"),
	 LAN_GW("") WEB_WITH("ipv4_address: 172.16.86.9"),
	 "change web/lan route none -> default via 172.16.86.1"},
	{"gateway removed", LAN_GW("") WEB, LAN("") WEB,
	 "change web/lan route default via 172.16.86.1 -> none"},
	{"gateway changed", LAN_GW("") WEB, LAN(", gateway: 172.16.86.254") WEB,
	 "change web/lan route default via 172.16.86.1 -> default via 172.16.86.254"},
	{"gateway takes the address in use", LAN(", ip_range: 172.16.86.0/25") WEB, LAN_GW("") WEB,
	 "change web/lan mac_address 02:42:ac:10:56:01 -> 02:42:ac:10:56:02, address "
	 "172.16.86.1/24 -> none, address none -> 172.16.86.2/24, route none -> default via "
	 "172.16.86.1"},
	{"internal", LAN_GW("") WEB, LAN_GW(", internal: true") WEB,
	 "change web/lan route default via 172.16.86.1 -> none"},
	{"ip_range that holds the address", LAN_GW("") WEB,
	 LAN_GW(", ip_range: 172.16.86.0/28") WEB, ""},
	{"ip_range elsewhere", LAN_GW("") WEB, LAN_GW(", ip_range: 172.16.86.128/25") WEB,
	 "change web/lan mac_address 02:42:ac:10:56:02 -> 02:42:ac:10:56:80, address "
	 "172.16.86.2/24 -> none, address none -> 172.16.86.128/24"},
	{"aux address takes the one in use", LAN_GW("") WEB,
	 LAN_GW(", aux_addresses: {router: 172.16.86.2}") WEB,
	 "change web/lan mac_address 02:42:ac:10:56:02 -> 02:42:ac:10:56:03, address "
	 "172.16.86.2/24 -> none, address none -> 172.16.86.3/24"},
	{"subnet wider", LAN_GW("") WEB,
	 NET("lan", "parent: eth0, subnet: 172.16.0.0/16, gateway: 172.16.86.1")
		 WEB_WITH("ipv4_address: 172.16.86.2"),
	 "change web/lan address 172.16.86.2/24 -> none, address none -> 172.16.86.2/16"},
	{"a shorter prefix", LAN_GW("") WEB_DB,
	 NET("lan", "parent: eth0, subnet: 172.16.0.0/16, gateway: 172.16.86.1") WEB_DB,
	 "change web/lan address 172.16.86.2/24 -> none, address none -> 172.16.86.2/16; change "
	 "db/lan address 172.16.86.3/24 -> none, address none -> 172.16.86.3/16"},
	{"a longer prefix", LAN_GW(", ip_range: 172.16.86.64/26") WEB,
	 NET("lan", "parent: eth0, subnet: 172.16.86.0/25, gateway: 172.16.86.1") WEB,
	 "change web/lan address 172.16.86.64/24 -> none, address none -> 172.16.86.64/25"},
	{"a longer prefix makes the address the last one",
	 LAN_GW(", ip_range: 172.16.86.127/32") WEB,
	 NET("lan", "parent: eth0, subnet: 172.16.86.0/25, gateway: 172.16.86.1") WEB,
	 "change web/lan mac_address 02:42:ac:10:56:7f -> 02:42:ac:10:56:02, address "
	 "172.16.86.127/24 -> none, address none -> 172.16.86.2/25"},
	{"a shorter prefix of IPv6",
	 NET("lan", "parent: eth0, subnet: 'fd00:1:2:3::/64', ip_range: 'fd00:1:2:3::10/124'") WEB,
	 NET("lan", "parent: eth0, subnet: 'fd00:1:2::/48'") WEB,
	 "change web/lan address fd00:1:2:3::10/64 -> none, address none -> fd00:1:2:3::10/48"},
	{"a shorter prefix, and the host's own link", LAN_GW(", host: true") WEB,
	 NET("lan", "parent: eth0, subnet: 172.16.0.0/16, gateway: 172.16.86.1, host: true") WEB,
	 "change web/lan address 172.16.86.2/24 -> none, address none -> 172.16.86.2/16"},
	{"second subnet", LAN_GW("") WEB,
	 NET("lan", "parent: eth0, subnets: [{subnet: 172.16.86.0/24, gateway: 172.16.86.1}, "
		    "{subnet: 'fd00:1::/64', gateway: 'fd00:1::1'}]") WEB,
	 "change web/lan address none -> fd00:1::2/64, route none -> default via fd00:1::1"},
	{"driver", LAN("") WEB, LAN(", driver: ipvlan") WEB,
	 "replace web/lan mode bridge -> l2, driver macvlan -> ipvlan"},
	{"ipvlan mode", LAN(", driver: ipvlan") WEB, LAN(", driver: ipvlan, mode: l3") WEB,
	 "change web/lan mode l2 -> l3"},
	{"parent", LAN("") WEB, NET("lan", "parent: eth1, subnet: 172.16.86.0/24") WEB,
	 "replace web/lan parent eth0 -> eth1"},
	{"vlan added", LAN("") WEB, LAN(", vlan: 10") WEB,
	 "create eth0.10; replace web/lan parent eth0 -> eth0.10"},
	{"vlan removed", LAN(", vlan: 10") WEB, LAN("") WEB,
	 "delete eth0.10; replace web/lan parent eth0.10 -> eth0"},
	{"vlan changed", LAN(", vlan: 10") WEB, LAN(", vlan: 20") WEB,
	 "delete eth0.10; create eth0.20; replace web/lan parent eth0.10 -> eth0.20"},
	{"vlan_protocol", LAN(", vlan: 10") WEB, LAN(", vlan: 10, vlan_protocol: 802.1ad") WEB,
	 "delete eth0.10; create eth0.10; replace web/lan parent eth0.10 -> eth0.10"},
	{"vlan_protocol of both", TWO_ON_VLAN("802.1q", "802.1q"),
	 TWO_ON_VLAN("802.1ad", "802.1ad"),
	 "delete eth0.10; create eth0.10; replace web/a parent eth0.10 -> eth0.10; replace web/b "
	 "parent eth0.10 -> eth0.10"},
	{"short form of a vlan", LAN(", vlan: 10") WEB,
	 NET("lan", "parent: eth0.10, subnet: 172.16.86.0/24") WEB, ""},
	{"vlan with its network", LAN(", vlan: 10") WEB, "", "delete web/lan; delete eth0.10"},
	{"network renamed", LAN_GW("") WEB,
	 NET("home",
	     "parent: eth0, subnet: 172.16.86.0/24, gateway: 172.16.86.1") "containers: {web: "
									   "{networks: "
									   "[home]}}",
	 "delete web/lan; create web/home"},
	{"host access", LAN_GW("") WEB, LAN_GW(", host: {ipv4_address: 172.16.86.250}") WEB,
	 "create lan"},
	{"host access follows containers", LAN_GW(", host: {ipv4_address: 172.16.86.250}") WEB,
	 LAN_GW(", host: {ipv4_address: 172.16.86.250}") WEB_DB,
	 "change lan route none -> 172.16.86.3/32 src 172.16.86.250; create db/lan"},
	{"host access left", LAN_GW(", host: {ipv4_address: 172.16.86.250}") WEB, LAN_GW("") WEB,
	 "delete lan"},
	{"host access renamed", LAN_GW(", host: {ipv4_address: 172.16.86.250}") WEB,
	 LAN_GW(", host: {ipv4_address: 172.16.86.250, interface_name: lan0}") WEB,
	 "change lan interface_name mv-lan -> lan0"},
	{"host access on another address", LAN_GW(", host: {ipv4_address: 172.16.86.250}") WEB,
	 LAN_GW(", host: {ipv4_address: 172.16.86.251}") WEB,
	 "change lan mac_address 02:42:ac:10:56:fa -> 02:42:ac:10:56:fb, address "
	 "172.16.86.250/32 -> none, address none -> 172.16.86.251/32, route 172.16.86.2/32 src 172.16.86.250 -> "
	 "172.16.86.2/32 src 172.16.86.251"},
	{"host access leaves its address to a container",
	 LAN_GW(", host: {ipv4_address: 172.16.86.250}") WEB,
	 LAN_GW(", host: {ipv4_address: 172.16.86.251}")
		 PAIR("ipv4_address: 172.16.86.2", "ipv4_address: 172.16.86.250"),
	 "change lan mac_address 02:42:ac:10:56:fa -> 02:42:ac:10:56:fb, address "
	 "172.16.86.250/32 -> none, address none -> 172.16.86.251/32, route 172.16.86.2/32 src 172.16.86.250 -> "
	 "172.16.86.2/32 src 172.16.86.251, route none -> 172.16.86.250/32 src 172.16.86.251; create db/lan"},
	{"host access takes the address of a container",
	 LAN_GW(", host: {ipv4_address: 172.16.86.250}") WEB_WITH("ipv4_address: 172.16.86.9"),
	 LAN_GW(", host: {ipv4_address: 172.16.86.9}") WEB_WITH("ipv4_address: 172.16.86.250"),
	 "change lan mac_address 02:42:ac:10:56:fa -> 02:42:ac:10:56:09, address 172.16.86.250/32 "
	 "-> none, address none -> 172.16.86.9/32, route 172.16.86.9/32 src 172.16.86.250 -> none, route none -> "
	 "172.16.86.250/32 src 172.16.86.9; change web/lan mac_address 02:42:ac:10:56:09 -> 02:42:ac:10:56:fa, "
	 "address 172.16.86.9/24 -> none, address none -> 172.16.86.250/24"},
	{"host access of two networks, names exchanged",
	 TWO_NETS(", host: {interface_name: x}", ", host: {interface_name: y}"),
	 TWO_NETS(", host: {interface_name: y}", ", host: {interface_name: x}"),
	 "change b interface_name y -> x; change a interface_name x -> y"},
	{"host access of a network leaves its name to another",
	 TWO_NETS("", ", host: {interface_name: x}"),
	 TWO_NETS(", host: {interface_name: x}", ", host: {interface_name: y}"),
	 "change b interface_name x -> y; create a"},
	{"dummy",
	 NET("in", "internal: true, subnet: 10.9.0.0/24") "containers: {web: {networks: [in]}}", "",
	 "delete web/in; delete mvd-in"},
	{"ipv4_address", LAN_GW("") WEB, LAN_GW("") WEB_WITH("ipv4_address: 172.16.86.9"),
	 "change web/lan mac_address 02:42:ac:10:56:02 -> 02:42:ac:10:56:09, address "
	 "172.16.86.2/24 -> none, address none -> 172.16.86.9/24"},
	{"ipv4_address absent again", LAN_GW("") WEB_WITH("ipv4_address: 172.16.86.9"),
	 LAN_GW("") WEB, ""},
	{"mac_address", LAN("") WEB, LAN("") WEB_WITH("mac_address: 02:00:00:00:00:07"),
	 "change web/lan mac_address 02:42:ac:10:56:02 -> 02:00:00:00:00:07"},
	{"interface_name", LAN("") WEB, LAN("") WEB_WITH("interface_name: lan0"),
	 "change web/lan interface_name eth0 -> lan0"},
	{"interface_name absent again", LAN("") WEB_WITH("interface_name: lan0"), LAN("") WEB,
	 "change web/lan interface_name lan0 -> eth0"},
	{"route added", LAN_GW("") WEB,
	 LAN_GW("") WEB_WITH("routes: [{to: 10.0.0.0/8, via: 172.16.86.7}]"),
	 "change web/lan route none -> 10.0.0.0/8 via 172.16.86.7"},
	{"route changed", LAN_GW("") WEB_WITH("routes: [{to: 10.0.0.0/8, via: 172.16.86.7}]"),
	 LAN_GW("") WEB_WITH("routes: [{to: 10.0.0.0/8, via: 172.16.86.8}]"),
	 "change web/lan route 10.0.0.0/8 via 172.16.86.7 -> 10.0.0.0/8 via 172.16.86.8"},
	{"sysctl", LAN("") WEB, LAN("") WEB_WITH("sysctls: {net.ipv4.conf.IFNAME.rp_filter: 2}"),
	 "change web/lan net.ipv4.conf.IFNAME.rp_filter ? -> 2"},
	{"gw_priority moves the default route",
	 TWO_NETS("", "") "containers: {web: {networks: [a, b]}}",
	 TWO_NETS("", "") "containers: {web: {networks: {a: {}, b: {gw_priority: 1}}}}",
	 "change web/a route default via 10.1.0.1 -> none; change web/b route none -> default via "
	 "10.2.0.1"},
	{"first of two networks left", TWO_NETS("", "") "containers: {web: {networks: [a, b]}}",
	 TWO_NETS("", "") "containers: {web: {networks: [b]}}",
	 "delete web/a; change web/b route none -> default via 10.2.0.1"},
	{"namespace of a container", LAN_GW("") "containers: {c: {netns: web, networks: [lan]}}",
	 LAN_GW("") "containers: {c: {netns: db, networks: [lan]}}",
	 "delete c/lan: eth0 in web, which is not the namespace of c; create c/lan"},
	{"addresses exchanged",
	 LAN_GW("") PAIR("ipv4_address: 172.16.86.2, mac_address: 02:00:00:00:00:01",
			 "ipv4_address: 172.16.86.3, mac_address: 02:00:00:00:00:02"),
	 LAN_GW("") PAIR("ipv4_address: 172.16.86.3, mac_address: 02:00:00:00:00:01",
			 "ipv4_address: 172.16.86.2, mac_address: 02:00:00:00:00:02"),
	 "change web/lan address 172.16.86.2/24 -> none, address none -> 172.16.86.3/24; change "
	 "db/lan address 172.16.86.3/24 -> none, address none -> 172.16.86.2/24"},
	{"macs exchanged",
	 LAN("") PAIR("mac_address: 02:00:00:00:00:01", "mac_address: 02:00:00:00:00:02"),
	 LAN("") PAIR("mac_address: 02:00:00:00:00:02", "mac_address: 02:00:00:00:00:01"),
	 "change db/lan mac_address 02:00:00:00:00:02 -> 02:00:00:00:00:01; change web/lan "
	 "mac_address 02:00:00:00:00:01 -> 02:00:00:00:00:02"},
	{"mac handed on",
	 LAN("") PAIR("mac_address: 02:00:00:00:00:01", "mac_address: 02:00:00:00:00:02"),
	 LAN("") PAIR("mac_address: 02:00:00:00:00:02", "mac_address: 02:00:00:00:00:03"),
	 "change db/lan mac_address 02:00:00:00:00:02 -> 02:00:00:00:00:03; change web/lan "
	 "mac_address 02:00:00:00:00:01 -> 02:00:00:00:00:02"},
	{"names exchanged",
	 TWO_NETS("", "") "containers: {web: {networks: {a: {interface_name: x}, b: "
			  "{interface_name: y}}}}",
	 TWO_NETS("", "") "containers: {web: {networks: {a: {interface_name: y}, b: "
			  "{interface_name: x}}}}",
	 "change web/b interface_name y -> x; change web/a interface_name x -> y"},
};

static void test_edit(void **state)
{
	const struct edit *edit = *state;
	struct live *live = world_new();
	world_reach(live, edit->before);
	world_expect(live, edit->after, &open_options, edit->expected);
	world_reach(live, edit->after);
	world_free(live);
}

static void test_pending_reserves(void **state)
{
	(void)state;
	struct live *live = world_new();
	struct desired *desired = desired_from(
		LAN_GW("") "containers: {job: {networks: [lan]}, web: {networks: [lan]}}");
	const struct plan *plan = world_plan(live, desired);
	assert_string_equal(plan_text(plan),
			    "create web/lan; pending job/lan: no network namespace yet");
	char text[PREFIX_TEXT_SIZE];
	assert_string_equal(prefix_format(&plan->steps[0].desired->addrs[0], text),
			    "172.16.86.3/24");
	plan_free(plan);
	desired_free(desired);
	world_free(live);
}

static void test_removal_keeps_addresses(void **state)
{
	(void)state;
	struct live *live = world_new();
	const char *three = LAN_GW("") "containers: {web: {networks: [lan]}, db: {networks: "
				       "[lan]}, ci: {networks: [lan]}}";
	const char *two = LAN_GW("") "containers: {db: {networks: [lan]}, ci: {networks: [lan]}}";
	world_reach(live, three);
	world_expect(live, two, &open_options, "delete web/lan");
	world_reach(live, two);
	world_expect(live, three, &open_options, "create web/lan");
	world_free(live);
}

static void test_other_sets(void **state)
{
	(void)state;
	struct live *live = world_new();
	const char *prod = "name: prod\n" NET(
		"wan",
		"parent: eth0.10, subnet: 10.0.0.0/24") "containers: {db: {networks: [wan]}}";
	world_reach(live, "name: lab\n" LAN_GW(", vlan: 10") WEB);
	world_expect(live, prod, &open_options,
		     "change eth0.10 mark mvapply:vlan:lab -> "
		     "mvapply:vlan:lab,prod; create db/wan");
	world_reach(live, prod);
	world_expect(
		live, "name: lab", &open_options,
		"delete web/lan; change eth0.10 mark mvapply:vlan:lab,prod -> mvapply:vlan:prod");
	world_expect(live, "name: third\n" LAN_GW("") WEB, &open_options, "create web/lan");
	world_free(live);
}

/* The VLAN links of both protocols have one name. */
static void test_vlan_two_protocols(void **state)
{
	static const struct {
		const char *before, *after, *plan;
	} rows[] = {
		{TWO_ON_VLAN("802.1q", "802.1q"), TWO_ON_VLAN("802.1ad", "802.1q"),
		 "refused a: eth0.10 is VLAN 10 (802.1q) of network b; refused web/a: waits for "
		 "network a"},
		{TWO_ON_VLAN("802.1q", "802.1q"), TWO_ON_VLAN("802.1q", "802.1ad"),
		 "refused b: eth0.10 is VLAN 10 (802.1q) of network a; refused web/b: waits for "
		 "network b"},
		{"", TWO_ON_VLAN("802.1ad", "802.1q"),
		 "create eth0.10; create web/a; refused b: eth0.10 is VLAN 10 (802.1ad) of "
		 "network a; refused web/b: waits for network b"},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct live *live = world_new();
		world_reach(live, rows[i].before);
		world_expect(live, rows[i].after, &open_options, rows[i].plan);
		world_free(live);
	}
}

static void test_vlan_of_two_sets(void **state)
{
	(void)state;
	struct live *live = world_new();
	const char *prod = "name: prod\n" NET(
		"wan",
		"parent: eth0.10, subnet: 10.0.0.0/24") "containers: {db: {networks: [wan]}}";
	world_reach(live, "name: lab\n" LAN(", vlan: 10") WEB);
	world_reach(live, prod);
	world_expect(
		live, "name: lab\n" LAN(", vlan: 10, vlan_protocol: 802.1ad") WEB, &open_options,
		"change eth0.10 mark mvapply:vlan:lab,prod -> mvapply:vlan:prod; refused lan: "
		"eth0.10 is VLAN 10 (802.1q) of set prod; refused web/lan: waits for network lan");
	world_free(live);
}

static void test_vlan_existing(void **state)
{
	(void)state;
	struct live *live = world_new();
	struct live_link *vlan = world_link(live->namespaces[0], "trunk10", KIND_VLAN);
	vlan->parent_where = PARENT_HOST;
	vlan->parent = 2;
	vlan->vlan = 10;

	world_reach(live, LAN(", vlan: 10") WEB);
	world_expect(live, "", &open_options, "delete web/lan");
	world_free(live);
}

static void test_vlan_name_conflict(void **state)
{
	(void)state;
	struct live *live = world_new();
	struct live_link *vlan = world_link(live->namespaces[0], "eth0.10", KIND_VLAN);
	vlan->parent_where = PARENT_HOST;
	vlan->parent = 2;
	vlan->vlan = 20;
	world_expect(
		live, LAN(", vlan: 10") WEB, &open_options,
		"refused lan: eth0.10 exists, but with VLAN id 20 (802.1q); refused web/lan: waits "
		"for network lan");
	world_free(live);
}

static void test_vlan_kept(void **state)
{
	(void)state;
	struct live *live = world_new();

	world_reach(live, LAN(", vlan: 10") WEB);
	struct live_link *other_link = world_link(world_ns(live, "ci"), "other", KIND_MACVLAN);
	other_link->parent_where = PARENT_HOST;
	other_link->parent = live_link_by_name(live->namespaces[0], "eth0.10")->ifindex;
	world_expect(live, "", &open_options, "delete web/lan; kept eth0.10: used by other in ci");
	world_free(live);
}

static void test_dummy_kept(void **state)
{
	(void)state;
	static const char island[] = NET("in", "internal: true, subnet: 10.9.0.0/24") "containers: "
										      "{web: "
										      "{networks: "
										      "[in]}}\n";
	struct live *live = world_new();

	world_reach(live, island);
	const int dummy = live_link_by_name(live->namespaces[0], "mvd-in")->ifindex;
	struct live_link *vlan = world_link(live->namespaces[0], "theirs", KIND_VLAN);
	vlan->parent_where = PARENT_HOST;
	vlan->parent = dummy;
	world_expect(live, "", &open_options,
		     "delete web/in; kept mvd-in: used by theirs in the host");
	world_expect(live, island, &open_options, "");
	vlan->parent_where = PARENT_NONE;
	/* Another set's. */

	world_reach(
		live,
		"name: prod\n" NET(
			"wan",
			"parent: mvd-in, subnet: 10.9.0.0/24") "containers: {db: {networks: [wan]}}");
	world_expect(live, "", &open_options, "delete web/in; kept mvd-in: used by eth0 in db");
	world_free(live);
}

/* Whether the only step's link has other links on its parent that an announcement would reach. */
static bool has_links_on_parent(struct live *live, const char *yaml)
{
	struct desired *desired = desired_from(yaml);
	world_containers(live, desired);
	const struct plan *plan = plan_make(desired, live, &open_options);
	assert_int_equal(plan->n_steps, 1);
	const bool shares_parent = plan->steps[0].desired->shares_parent;
	plan_free(plan);
	desired_free(desired);
	return shares_parent;
}

static void test_links_on_one_parent(void **state)
{
	(void)state;
	struct live *live = world_new();
	assert_false(has_links_on_parent(live, LAN("") WEB));
	world_reach(live, LAN("") WEB);
	assert_true(has_links_on_parent(live, LAN("") WEB_DB));
	assert_false(has_links_on_parent(
		live, NET("lan", "parent: eth1, subnet: 10.0.0.0/24") "containers: {ci: {networks: "
								      "[lan]}}\nname: x\n"));
	struct live_link *other_link = world_link(world_ns(live, "ci"), "other", KIND_MACVLAN);
	other_link->parent_where = PARENT_HOST;
	other_link->parent = live_link_by_name(live->namespaces[0], "eth1")->ifindex;
	assert_true(has_links_on_parent(
		live, NET("lan", "parent: eth1, subnet: 10.0.0.0/24") "containers: {ci: {networks: "
								      "[lan]}}\nname: x\n"));
	world_free(live);
}

static void test_parents(void **state)
{
	(void)state;
	struct live *live = world_new();
	world_expect(
		live, NET("lan", "parent: eth9, subnet: 10.0.0.0/24") WEB, &open_options,
		"blocked lan: the host has no link \"eth9\"; blocked web/lan: waits for network "
		"lan");
	world_expect(live, LAN(", mtu: 9000") WEB, &open_options,
		     "blocked lan: mtu 9000 is larger than the mtu 1500 of parent eth0; blocked "
		     "web/lan: waits for network lan");
	live->namespaces[0]->links[0].flags = 0;
	world_expect(live, LAN("") WEB, &open_options, "blocked web/lan: parent eth0 is down");
	live->namespaces[0]->links[0].flags = IFF_UP;
	struct live_link *bridge = world_link(live->namespaces[0], "br0", KIND_OTHER);
	bridge->kind_name = "bridge";
	live->namespaces[0]->links[0].master = bridge->ifindex;
	world_expect(live, LAN("") WEB, &open_options,
		     "blocked lan: parent eth0 is a port of bridge br0; blocked web/lan: waits for "
		     "network "
		     "lan");
	world_free(live);
}

/* An attachment that the files remove is kept while its replacement cannot be created. */
static void test_replacement(void **state)
{
	(void)state;
	struct live *live = world_new();

	world_reach(live, TWO_NETS("", ", host: true") "containers: {web: {networks: [a, b]}}");
	world_expect(
		live,
		"networks: {c: {parent: eth9, subnet: 10.1.0.0/24}}\ncontainers: {web: {networks: "
		"[c]}}",
		&open_options,
		"delete web/b; delete b; kept web/a: its replacement web/c is blocked; blocked c: the "
		"host has no link \"eth9\"; blocked web/c: waits for network c");
	/* The subnets decide which of the two it is; and for the host's own link. */
	world_expect(
		live,
		"networks: {c: {parent: eth9, subnet: 10.2.0.0/24, host: true}, d: {parent: eth0, "
		"subnet: 10.1.0.0/24, gateway: 10.1.0.1}}\ncontainers: {web: {networks: [d, c]}}",
		&open_options,
		"delete web/a; create web/d; kept web/b: its replacement web/c is blocked; "
		"kept b: its replacement, the host's link on network c, is "
		"blocked; blocked c: the host has no link \"eth9\"; blocked web/c: waits for "
		"network c; blocked c: waits for network c");
	/* A container that is removed has none. */
	world_expect(
		live,
		"networks: {c: {parent: eth9, subnet: 10.1.0.0/24}}\ncontainers: {ci: "
		"{networks: [c]}}",
		&open_options,
		"delete web/a; delete web/b; delete b; blocked c: the host has no link \"eth9\"; "
		"blocked ci/c: waits for network c");
	world_free(live);
}

static void test_full(void **state)
{
	(void)state;
	struct live *live = world_new();
	world_expect(
		live, NET("lan", "parent: eth0, subnet: 10.0.0.0/30, gateway: 10.0.0.1") WEB_DB,
		&open_options, "create web/lan; blocked db/lan: no free address in 10.0.0.0/30");
	world_free(live);
}

/* Two networks on one LAN, of which only one has the router. */
static void test_router_of_a_link_on_the_parent(void **state)
{
	(void)state;
	struct live *live = world_new();

	world_reach(live,
		    "networks: {a: {parent: eth0, subnet: 10.0.0.0/24}, b: {parent: eth0, subnet: "
		    "10.0.0.0/24, gateway: 10.0.0.1, aux_addresses: {nas: 10.0.0.2}}}\n"
		    "containers: {web: {networks: [a]}}\n");
	assert_int_equal(world_ns(live, "web")->addrs[0].prefix.ip.bytes[3], 3);
	world_free(live);
}

static void test_drift(void **state)
{
	(void)state;
	struct live *live = world_new();

	world_reach(live, LAN_GW("") WEB);
	struct live_ns *web = world_ns(live, "web");
	web->links[0].flags = 0;
	web->n_addrs = web->n_routes = 0;
	world_expect(
		live, LAN_GW("") WEB, &open_options,
		"change web/lan state down -> up, address none -> 172.16.86.2/24, route none -> "
		"default via 172.16.86.1");
	world_free(live);
}

static void forge(struct live *live, const char *ns, const char *alias)
{
	struct live_link *link = world_link(world_ns(live, ns), "z0", KIND_MACVLAN);
	link->parent_where = PARENT_HOST;
	link->parent = 2;
	link->alias = alias;
	link->tag = owner_tag_parse(world_ns(live, ns)->arena, alias);
}

static void guard_expect(struct live *live, const char *yaml, struct plan_options options,
			 bool refused)
{
	struct desired *desired = desired_from(yaml);
	world_containers(live, desired);
	const struct plan *plan = plan_make(desired, live, &options);
	assert_int_equal(plan->guard.refused, refused);
	plan_free(plan);
	desired_free(desired);
}

/* The owner of the only live link: a set that the files do not declare otherwise. */
static void test_guard_evidence(void **state)
{
	static const struct {
		const char *ns_name, *alias;
		bool refused;
	} rows[] = {
		{"ci", "mvapply:attach:default/x/ci", true},
		{"ci", "mvapply:attach:default/x/nobody", false},
		{"ci", "mvapply:attach:default/x/web", false},
		{"pid 4711", "mvapply:attach:default/x/nobody", false},
		{"docker 0123456789ab", "mvapply:attach:default/x/nobody", true},
		{"netns-0123-4567", "mvapply:attach:default/x/nobody", true},
		{"/srv/netns", "mvapply:attach:default/x/nobody", true},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct live *live = world_new();
		forge(live, "ci", rows[i].alias);
		world_ns(live, "ci")->name = rows[i].ns_name;
		guard_expect(live, LAN_GW("") WEB, plan_options_default, rows[i].refused);
		guard_expect(live, "", plan_options_default, rows[i].refused);
		world_free(live);
	}
}

#define OTHER(name, nets, container)                                                               \
	"name: " name "\n" nets "containers: {" container ": {networks: [lan]}}"

static void undeclared_set_expect(struct live *live, const char *yaml, const char *set)
{
	struct desired *desired = desired_from(yaml);
	world_containers(live, desired);
	const struct plan *plan = plan_make(desired, live, &plan_options_default);
	assert_int_equal(plan->left.set != NULL, set != NULL);
	if (set)
		assert_string_equal(plan->left.set, set);
	plan_free(plan);
	desired_free(desired);
}

/* Whether another set is probably the files' set under its former name. */
static void test_undeclared_set(void **state)
{
	static const char new_db[] =
		OTHER("new", NET("lan", "parent: eth0, subnet: 10.0.0.0/24"), "db");
	static const char new_web[] =
		OTHER("new", NET("lan", "parent: eth0, subnet: 10.0.0.0/24"), "web");
	(void)state;
	struct live *live = world_new();
	world_reach(live, OTHER("old", NET("lan", "parent: eth0, subnet: 10.0.0.0/24"), "web"));
	undeclared_set_expect(live, new_db, "old");
	undeclared_set_expect(live, new_web, NULL); /* reported by check_twice */
	undeclared_set_expect(
		live, OTHER("new", NET("lan", "parent: eth1, subnet: 10.0.0.0/24"), "db"), NULL);
	undeclared_set_expect(
		live, OTHER("new", NET("lan", "parent: eth0, subnet: 10.1.0.0/24"), "db"), NULL);
	undeclared_set_expect(
		live,
		"name: new\n" NET(
			"home",
			"parent: eth0, subnet: 10.0.0.0/24") "containers: {db: {networks: [home]}}",
		NULL);
	forge(live, "ci", "mvapply:attach:ghost/lan/nobody");
	undeclared_set_expect(live, new_db, "old");
	world_reach(live, new_db);
	undeclared_set_expect(live, new_db, NULL); /* it is live itself */
	undeclared_set_expect(live,
			      OTHER("third", NET("lan", "parent: eth0, subnet: 10.0.0.0/24"), "ci"),
			      NULL); /* two of them */
	world_free(live);
}

static void test_guard(void **state)
{
	(void)state;
	struct live *live = world_new();

	world_reach(live, LAN_GW("") WEB_DB);
	struct plan_options half = plan_options_default, all = plan_options_default;
	struct plan_options one = {.max_delete = {.limit = 1}}, none = {.max_delete = {.limit = 0}};
	all.max_delete.limit = 100;
	guard_expect(live, "", half, true);
	guard_expect(live, "", all, false);
	guard_expect(live, "", one, true);
	guard_expect(live, LAN_GW(""), half, false);
	guard_expect(live, LAN_GW(""), one, true);
	guard_expect(live, LAN_GW("") WEB, one, false);
	guard_expect(live, LAN_GW("") WEB, none, true);
	/* At the minimum count, and at exactly the share. */
	half.max_delete.from = 2;
	guard_expect(live, LAN_GW(""), half, true);
	guard_expect(live, LAN_GW("") WEB, half, false);
	half.max_delete.from = 3;
	guard_expect(live, LAN_GW(""), half, false);
	/* An input with containers, none of which is live, is another file; with one live
	 * container, it is not. */
	half = plan_options_default;
	guard_expect(live, NET("new", "parent: eth0, subnet: 10.0.0.0/24"), half, true);
	guard_expect(live,
		     NET("new", "parent: eth0, subnet: 10.0.0.0/24") "containers: {ci: "
								     "{networks: [new]}}",
		     half, true);
	guard_expect(live, LAN_GW("") "containers: {ci: {networks: [lan]}}", half, true);
	guard_expect(live, LAN_GW("") "containers: {ci: {networks: []}}", half, true);
	guard_expect(live, LAN_GW(", host: true"), half, true);
	guard_expect(live,
		     NET("new", "parent: eth0, subnet: 10.0.0.0/24") "containers: {web: "
								     "{networks: [new]}}",
		     half, false);
	guard_expect(live,
		     NET("new", "parent: eth0, subnet: 10.0.0.0/24") "containers: {x: {netns: "
								     "db, networks: [new]}}",
		     half, false);
	/* Attachments of another set do not count. */

	world_reach(
		live,
		"name: prod\n" NET(
			"wan",
			"parent: eth1, subnet: 10.0.0.0/24") "containers: {ci: {networks: [wan]}}");
	half.max_delete.limit = 70;
	half.max_delete.from = 2;
	guard_expect(live, LAN_GW(""), half, true);
	world_free(live);
}

#define DOCKER_WEB "containers: {web: {docker: web, networks: [lan]}}\n"

static void warned(struct live *live, const char *yaml, const char *expected)
{
	struct desired *desired = desired_from(yaml);
	world_containers(live, desired);
	const struct plan *plan = plan_make(desired, live, &open_options);
	assert_int_equal(plan->n_warnings, *expected ? 1 : 0);
	if (*expected)
		assert_string_equal(warning_text(&plan->warnings[0], plan->arena), expected);
	plan_free(plan);
	desired_free(desired);
}

static void test_engine_default_route(void **state)
{
	(void)state;
	static const char warned_text[] =
		"web keeps the default route of its container engine, via 172.17.0.1; the one of "
		"network lan (via 172.16.86.1) is not added: set `gw_priority: 1` on that "
		"attachment to route through it in addition to the engine's networks";
	struct live *live = world_new();
	struct live_ns *web = world_ns(live, "web");
	world_route(web, world_link(web, "eth0", KIND_OTHER)->ifindex, "0.0.0.0/0", "172.17.0.1",
		    RTPROT_BOOT);
	world_expect(live, LAN_GW(", ip_range: 172.16.86.0/25") WEB, &open_options,
		     "blocked web/lan: web already has a default route via 172.17.0.1");
	world_expect(live, LAN_GW(", ip_range: 172.16.86.0/25") DOCKER_WEB, &open_options,
		     "create web/lan");
	warned(live, LAN_GW(", ip_range: 172.16.86.0/25") DOCKER_WEB, warned_text);
	warned(live, LAN(", ip_range: 172.16.86.0/25") DOCKER_WEB, "");

	world_reach(live, LAN_GW(", ip_range: 172.16.86.0/25") DOCKER_WEB);
	assert_int_equal(web->n_routes, 1);
	assert_string_equal(web->links[1].name, "eth1");
	warned(live, LAN_GW(", ip_range: 172.16.86.0/25") DOCKER_WEB, warned_text);
	world_free(live);
}

/* Before 5.11, macvlan reports no length of its queue. */
static void test_bcqueuelen_unknown(void **state)
{
	(void)state;
	const char *text = LAN(", ip_range: 172.16.86.0/25, bcqueuelen: 50") WEB;
	struct live *live = world_new();
	struct live_ns *web = world_ns(live, "web");
	world_reach(live, text);
	warned(live, text, "");
	web->links[0].has_bcqueuelen = false;
	live->lacks = FEATURE_BIT(FEATURE_BCQUEUELEN);
	warned(live, text,
	       "this kernel has no `bcqueuelen` (it is from Linux 5.11): the links of network lan "
	       "keep the kernel's own queue");
	world_expect(live, text, &open_options, "");
	warned(live, LAN(", ip_range: 172.16.86.0/25") WEB, "");
	world_free(live);
}

#define RAISED ", ip_range: 172.16.86.0/25, manage_parent: true, mtu: "

/* The marks alone say what is undone, and by whom. */
static void test_manage_parent(void **state)
{
	(void)state;
	struct live *live = world_new();
	struct live_link *eth0 = &world_ns(live, "the host")->links[0];
	eth0->flags = 0;
	world_expect(live, LAN(RAISED "9000") WEB, &open_options,
		     "change eth0 mtu 1500 -> 9000, altname none -> mvapply-for.2.9000.default, "
		     "altname none -> mvapply-was.2.down.1500, state down -> up; create web/lan");
	world_reach(live, LAN(RAISED "9000") WEB);
	assert_int_equal(eth0->mtu, 9000);
	world_reach(live, LAN(RAISED "2000") WEB);
	assert_int_equal(eth0->mtu, 2000);
	eth0->mtu = 3000; /* another program's, from now on */
	world_reach(live, LAN(RAISED "2000") WEB);
	assert_int_equal(eth0->mtu, 3000);
	world_expect(live, "networks: {}", &open_options,
		     "delete web/lan; change eth0 altname mvapply-was.2.down.1500 -> none, "
		     "altname mvapply-for.2.2000.default -> none, state up -> down");
	world_reach(live, "networks: {}");
	assert_int_equal(eth0->n_altnames, 0);
	eth0->max_mtu = 1600;
	world_expect(live, LAN(RAISED "9000") WEB, &open_options,
		     "blocked lan: mtu 9000 is larger than 1600, the largest that eth0 supports; "
		     "blocked web/lan: waits for network lan");
	eth0->flags = 0;
	world_expect(live, LAN(RAISED "9000, vlan: 10") WEB, &open_options,
		     "blocked lan: mtu 9000 is larger than 1600, the largest that eth0 supports; "
		     "blocked web/lan: waits for network lan");
	world_free(live);
}

/* Before 6.4, macvlan ignores the limit. */
static void test_bclim_unknown(void **state)
{
	(void)state;
	const char *text = LAN(", ip_range: 172.16.86.0/25, bclim: 50") WEB;
	struct live *live = world_new();
	live->lacks = FEATURE_BIT(FEATURE_BCLIM);
	world_reach(live, text);
	assert_int_equal(world_ns(live, "web")->links[0].bclim, BCLIM_DEFAULT);
	warned(live, text,
	       "this kernel has no `bclim` (it is from Linux 6.4): the links of network lan keep "
	       "the kernel's own limit");
	warned(live, LAN(", ip_range: 172.16.86.0/25") WEB, "");
	world_free(live);
}

/* Podman's route has a metric, and may be added later than the managed one. */
static void test_engine_default_route_later(void **state)
{
	(void)state;
	struct live *live = world_new();
	struct live_ns *web = world_ns(live, "web");

	world_reach(live, LAN_GW(", ip_range: 172.16.86.0/25") DOCKER_WEB);
	assert_int_equal(web->n_routes, 1);
	struct live_route route = web->routes[0];
	route.ifindex = world_link(web, "eth7", KIND_OTHER)->ifindex;
	route.options.metric = 100;
	route.proto = RTPROT_STATIC;
	*array_push(web->arena, web->routes, web->n_routes) = route;
	world_expect(live, LAN_GW(", ip_range: 172.16.86.0/25") DOCKER_WEB, &open_options,
		     "change web/lan route default via 172.16.86.1 -> none");
	world_reach(live, LAN_GW(", ip_range: 172.16.86.0/25") DOCKER_WEB);
	assert_int_equal(web->n_routes, 1);
	world_free(live);
}

/* Only the default route, and not that of another address family. */
static void test_engine_other_routes(void **state)
{
	(void)state;
	struct live *live = world_new();
	struct live_ns *web = world_ns(live, "web");
	int eth0 = world_link(web, "eth0", KIND_OTHER)->ifindex;
	world_route(web, eth0, "::/0", "fd00:9::1", RTPROT_BOOT);
	world_expect(live, LAN_GW(", ip_range: 172.16.86.0/25") DOCKER_WEB, &open_options,
		     "create web/lan");
	warned(live, LAN_GW(", ip_range: 172.16.86.0/25") DOCKER_WEB, "");
	world_route(web, eth0, "10.0.0.0/8", "172.17.0.1", RTPROT_BOOT);
	world_expect(
		live,
		LAN_GW(", ip_range: 172.16.86.0/25") "containers: {web: {docker: web, networks: "
						     "{lan: {routes: [{to: "
						     "10.0.0.0/8, via: 172.16.86.9}]}}}}\n",
		&open_options,
		"blocked web/lan: web already has a route to 10.0.0.0/8 via 172.17.0.1");
	world_free(live);
}

static const struct CMUnitTest others[] = {
	cmocka_unit_test(test_pending_reserves),
	cmocka_unit_test(test_removal_keeps_addresses),
	cmocka_unit_test(test_other_sets),
	cmocka_unit_test(test_vlan_two_protocols),
	cmocka_unit_test(test_vlan_of_two_sets),
	cmocka_unit_test(test_vlan_existing),
	cmocka_unit_test(test_vlan_name_conflict),
	cmocka_unit_test(test_vlan_kept),
	cmocka_unit_test(test_dummy_kept),
	cmocka_unit_test(test_links_on_one_parent),
	cmocka_unit_test(test_parents),
	cmocka_unit_test(test_replacement),
	cmocka_unit_test(test_full),
	cmocka_unit_test(test_router_of_a_link_on_the_parent),
	cmocka_unit_test(test_drift),
	cmocka_unit_test(test_guard),
	cmocka_unit_test(test_guard_evidence),
	cmocka_unit_test(test_undeclared_set),
	cmocka_unit_test(test_engine_default_route),
	cmocka_unit_test(test_bcqueuelen_unknown),
	cmocka_unit_test(test_bclim_unknown),
	cmocka_unit_test(test_manage_parent),
	cmocka_unit_test(test_engine_default_route_later),
	cmocka_unit_test(test_engine_other_routes),
};

enum { N_EDITS = sizeof(edits) / sizeof(edits[0]), N_OTHERS = sizeof(others) / sizeof(others[0]) };

int main(void)
{
	struct CMUnitTest tests[N_EDITS + N_OTHERS];
	for (size_t i = 0; i < N_EDITS; i++)
		tests[i] = (struct CMUnitTest){.name = edits[i].name,
					       .test_func = test_edit,
					       .initial_state = (void *)(uintptr_t)&edits[i]};
	memcpy(tests + N_EDITS, others, sizeof(others));
	return cmocka_run_group_tests_name("plan", tests, NULL, NULL);
}
