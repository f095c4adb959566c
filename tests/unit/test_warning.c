/* Warnings are data, and one table formats their sentences. */
#include "reconcile/plan/warning.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct row {
	struct warning warning;
	const char *text;
} rows[] = {
	{{WARNING_PARENT_DOWN, {"eth0"}},
	 "parent eth0 is down: it passes no traffic until `ip link set eth0 up`"},
	{{WARNING_PARENT_NO_CARRIER, {"eth0"}},
	 "parent eth0 has no carrier: it passes no traffic until its cable or peer is up"},
	{{WARNING_VLAN_NAME, {"mgmt.10", "30", "mgmt", "10"}},
	 "parent mgmt.10 is VLAN 30 and is used as it is; for VLAN 10 of mgmt, write `parent: mgmt` "
	 "and `vlan: 10`"},
	{{WARNING_BRIDGE_VLAN, {"br0", "10"}},
	 "bridge br0 filters VLANs and does not pass VLAN 10 to itself with its "
	 "tag: it passes no traffic until `bridge vlan add vid 10 dev br0 self`"},
	{{WARNING_BRIDGE_PVID, {"br0"}},
	 "bridge br0 filters VLANs and has no PVID: it passes no untagged "
	 "traffic until `bridge vlan add vid ID pvid untagged dev br0 self`"},
	{{WARNING_BRIDGE_PORTS, {"br0", "10"}},
	 "bridge br0 filters VLANs, and none of its ports is a member of VLAN "
	 "10: it passes no traffic until `bridge vlan add vid 10 dev PORT`"},
	{{WARNING_ADDRESS_CLAIMED, {"eth0 in db", "10.0.0.5", "web/lan", "0"}},
	 "eth0 in db also has the address 10.0.0.5 of web/lan: ignored"},
	{{WARNING_ADDRESSES_CLAIMED, {"eth0 in db", "10.0.0.5", "web/lan", "2"}},
	 "eth0 in db also has the address 10.0.0.5 of web/lan: ignored, as are "
	 "2 more in that namespace"},
	{{WARNING_ADDRESS_OF_SET, {"eth0 in db (db/n of set \"a\")", "10.0.0.5", "web/lan", "0"}},
	 "eth0 in db (db/n of set \"a\") has the address 10.0.0.5 of web/lan, too: give one of the "
	 "two another address [MV1205]"},
	{{WARNING_SECOND_LINK, {"web", "eth0", "prod", "eth1 on eth0"}},
	 "web has a second link on the LAN of eth0, of set \"prod\": eth1 on eth0; if that set "
	 "was renamed or is no longer needed, `mvapply delete --name prod` removes all its objects"},
	{{WARNING_TWO_LINKS, {"web", "eth0", "eth1", "a", "eth2", "b"}},
	 "web has two links on the LAN of eth0, eth1 of set \"a\" and eth2 of set \"b\": remove "
	 "one of the two attachments from the files"},
	{{WARNING_ROUTE_KEPT, {"web", "set \"a\"", "lan", "10.0.0.1", ""}},
	 "web keeps the default route of set \"a\"; the one of network lan (via "
	 "10.0.0.1) is not added"},
	{{WARNING_ROUTE_KEPT_VIA, {"web", "set \"a\"", "lan", "10.0.0.1", "172.17.0.1"}},
	 "web keeps the default route of set \"a\", via 172.17.0.1; the one of network "
	 "lan (via 10.0.0.1) is not added"},
	{{WARNING_ROUTE_ENGINE, {"web", "its container engine", "lan", "10.0.0.1", ""}},
	 "web keeps the default route of its container engine; the one of network lan (via "
	 "10.0.0.1) is not added: set `gw_priority: 1` on that attachment to route through it in "
	 "addition to the engine's networks"},
	{{WARNING_ROUTE_ENGINE_VIA,
	  {"web", "its container engine", "lan", "10.0.0.1", "172.17.0.1"}},
	 "web keeps the default route of its container engine, via 172.17.0.1; the one of "
	 "network lan (via 10.0.0.1) is not added: set `gw_priority: 1` on that attachment to "
	 "route through it in addition to the engine's networks"},
	{{WARNING_UNREACHABLE, {"web", "lan", "10.0.0.5", "wan"}},
	 "the host cannot reach web on network lan: its route to 10.0.0.5 leads through network "
	 "wan"},
	{{WARNING_IPV6_ENABLED, {"web/lan", "eth0"}},
	 "IPv6 is disabled in the namespace of web/lan: it is enabled on its link eth0 "
	 "(net.ipv6.conf.eth0.disable_ipv6=0)"},
	{{WARNING_NOTHING_HERE, {"alpha"}},
	 "no network of the files is assigned to this host, \"alpha\": check `hosts`, or set this "
	 "host's name with --host"},
	{{WARNING_LOOKUP, {"web", "{0} and 100% of it"}}, "{0} and 100% of it"},
	{{WARNING_SET_UNDECLARED, {"old", "lan"}},
	 "set \"old\" is live on network lan, but is not in these files; if that set was renamed "
	 "or is no longer needed, `mvapply delete --name old` removes all its objects"},
	{{WARNING_NO_RANGE, {"lan", "default", "ip_range: 10.0.0.192/27"}},
	 "network lan has no `ip_range`: the DHCP server of its LAN may assign the addresses that "
	 "mvapply chooses, too; add a range that the server does not use, such as `ip_range: "
	 "10.0.0.192/27`, or `probe: true` [MV1201]"},
	{{WARNING_SUBNET_TWICE, {"web", "a", "10.0.0.0/24", "b", "10.0.0.0/8"}},
	 "web has overlapping subnets on two parents, 10.0.0.0/24 of network a and 10.0.0.0/8 of "
	 "network b: packets for both leave through one of the two links; change a subnet, remove "
	 "one of the attachments, or set `policy_routing: true` on the container [MV1202]"},
	{{WARNING_GATEWAY_OWN, {"lan", "10.0.0.5", "eth0"}},
	 "the gateway 10.0.0.5 of network lan is an address of its parent eth0, which the "
	 "network's containers cannot reach; set `gateway` to the router of the LAN [MV1204]"},
	{{WARNING_LEASE_ROUTE, {"web/lan", "10.1.2.0/24", "db", "10.1.0.0/16", "lan"}},
	 "the DHCP lease of web/lan routes 10.1.2.0/24, a part of the subnet 10.1.0.0/16 of network "
	 "db, through its own link: check the DHCP server; with `internal: true` network lan uses "
	 "no routes of its leases [MV1206]"},
	{{WARNING_POLICY_ADVERTISED, {"web/lan"}},
	 "`policy_routing` does not cover the IPv6 addresses that a router advertises to web/lan: "
	 "packets from them leave through the default route of another network; give the network an "
	 "IPv6 subnet with a gateway [MV1207]"},
	{{WARNING_BCQUEUELEN, {"lan"}},
	 "this kernel has no `bcqueuelen` (it is from Linux 5.11): the links of network lan keep "
	 "the kernel's own queue [MV0903]"},
	{{WARNING_BCLIM, {"lan"}},
	 "this kernel has no `bclim` (it is from Linux 6.4): the links of network lan keep the "
	 "kernel's own limit [MV0903]"},
	{{WARNING_LEASE_RUNS_OUT, {"1"}},
	 "1 DHCP lease expires instead of being released, because --confirm may have to restore "
	 "them"},
	{{WARNING_LEASES_RUN_OUT, {"3"}},
	 "3 DHCP leases expire instead of being released, because --confirm may have to restore "
	 "them"},
};
#define N_ROWS (sizeof(rows) / sizeof(rows[0]))

static void test_text(void **state)
{
	struct arena *arena = arena_new();
	struct warning warnings[N_ROWS];
	(void)state;
	for (size_t i = 0; i < N_ROWS; i++) {
		assert_int_equal(rows[i].warning.kind, i);
		warnings[i] = rows[i].warning;
	}
	const char **texts = warnings_text(warnings, N_ROWS, arena);
	for (size_t i = 0; i < N_ROWS; i++)
		assert_string_equal(texts[i], rows[i].text);
	arena_free(arena);
}

/* A container can have a long name. */
static void test_long(void **state)
{
	struct arena *arena = arena_new();
	char *name = arena_alloc(arena, 5000);
	(void)state;
	for (size_t length = 400; length < 4999; length += 37) {
		memset(name, 'x', length);
		const struct warning warning = {WARNING_TWO_LINKS,
						{name, name, name, name, name, name}};
		const char *text = warning_text(&warning, arena);
		assert_int_equal(strlen(text), 511);
		assert_int_equal(text[399], 'x');
	}
	arena_free(arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_text),
		cmocka_unit_test(test_long),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
