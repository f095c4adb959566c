/* Which link of the host a network's parent is: one of exactly that name, whatever its kind, before
 * the short form of a VLAN. */
#include "reconcile/plan/parent_link.h"
#include "tests/unit/world.h"

#include <linux/if_arp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define NET(name, keys) name ": {" keys ", subnet: 172.16.86.0/24}"
#define WEB(name)       "\ncontainers: {web: {networks: [" name "]}}\n"
#define LAN(keys)       "networks: {" NET("lan", keys) "}" WEB("lan")

static struct live_link *bridge(struct live *live, const char *name)
{
	struct live_link *link = world_link(live->namespaces[0], name, KIND_OTHER);
	link->kind_name = "bridge";
	return link;
}

static struct live_link *vlan(struct live *live, const char *name, int base, unsigned id)
{
	struct live_link *link = world_link(live->namespaces[0], name, KIND_VLAN);
	link->kind_name = "vlan";
	link->parent_where = PARENT_HOST;
	link->parent = base;
	link->vlan = (uint16_t)id;
	return link;
}

static void rename_link(struct live *live, const char *from, const char *to)
{
	struct live_ns *host = live->namespaces[0];
	for (size_t i = 0; i < host->n_links; i++)
		if (strcmp(host->links[i].name, from) == 0)
			host->links[i].name = to;
}

/* The name of the link that the network uses, "eth0.10 new" for one that is made, "eth9.10 absent"
 * without a base. */
static void names(struct live *live, const char *keys, const char *expected)
{
	char yaml[160];
	snprintf(yaml, sizeof(yaml), "networks: {lan: {%s, subnet: 10.0.0.0/8}}", keys);
	struct desired *desired = desired_from(yaml);
	const struct parent_link found =
		parent_link_find(live->namespaces[0], &desired->sets[0].networks[0]);
	const char *name = parent_link_name(&found, desired->arena);
	assert_string_equal(arena_printf(desired->arena, "%s%s", name,
					 !found.base   ? " absent"
					 : !found.link ? " new"
						       : ""),
			    expected);
	desired_free(desired);
}

static void test_names(void **state)
{
	(void)state;
	struct live *live = world_new();
	bridge(live, "br.10");
	bridge(live, "br0");
	bridge(live, "br0.20");
	bridge(live, "eth0.010");
	bridge(live, "eth1.5000");
	vlan(live, "mgmt.10", 2, 30);
	vlan(live, "vlan40", 2, 40);
	vlan(live, "old.50", 2, 50);
	const char **altname = arena_alloc(live->namespaces[0]->arena, sizeof(*altname));
	*altname = "wan.60";
	live->namespaces[0]->links[1].altnames = altname;
	live->namespaces[0]->links[1].n_altnames = 1;
	names(live, "parent: br.10", "br.10");
	names(live, "parent: br0.20", "br0.20");
	names(live, "parent: br0.21", "br0.21 new");
	names(live, "parent: br0, vlan: 20", "br0.20 new");
	names(live, "parent: br0.20, vlan: 7", "br0.20.7 new");
	names(live, "parent: eth0.010", "eth0.010");
	names(live, "parent: eth1.5000", "eth1.5000");
	names(live, "parent: mgmt.10", "mgmt.10");
	names(live, "parent: eth0.30", "mgmt.10");
	names(live, "parent: eth0.40", "vlan40");
	names(live, "parent: eth0, vlan: 40", "vlan40");
	names(live, "parent: eth0, vlan: 40, vlan_protocol: 802.1ad", "eth0.40 new");
	names(live, "parent: old.50", "old.50");
	names(live, "parent: wan.60", live->namespaces[0]->links[1].name);
	names(live, "parent: eth9.10", "eth9.10 absent");
	names(live, "parent: eth9.010", "eth9.010 absent");
	world_free(live);
}

static void test_bridge(void **state)
{
	(void)state;
	struct live *live = world_new();
	bridge(live, "br0");
	bridge(live, "br0.20");
	world_reach(live, LAN("parent: br0.20"));
	assert_int_equal(world_ns(live, "web")->links[0].parent,
			 live_link_by_name(live->namespaces[0], "br0.20")->ifindex);
	world_expect(live, "", &open_options, "delete web/lan");
	world_free(live);
}

/* The VLAN of that id is refused, as before, since its name is another link's. */
static void test_vlan_and_bridge(void **state)
{
	(void)state;
	struct live *live = world_new();
	bridge(live, "br0");
	bridge(live, "br0.20");
	world_expect(
		live, LAN("parent: br0, vlan: 20"), &open_options,
		"refused lan: br0.20 exists, but is not VLAN 20 of br0; refused web/lan: waits for "
		"network lan");
	vlan(live, "vlan20", live_link_by_name(live->namespaces[0], "br0")->ifindex, 20);
	world_expect(live, LAN("parent: br0, vlan: 20"), &open_options, "create web/lan");
	world_free(live);
}

/* What is attached stays where it is when the NIC gets another name, and leaves with the VLAN that
 * was made for it. */
static void test_renamed_below(void **state)
{
	(void)state;
	struct live *live = world_new();
	world_reach(live, LAN("parent: eth0.10"));
	rename_link(live, "eth0", "lan0");
	world_expect(live, LAN("parent: eth0.10"), &open_options, "");
	world_expect(live, LAN("parent: lan0, vlan: 10"), &open_options, "");
	world_expect(live, LAN("parent: eth0.10, vlan_protocol: 802.1ad"), &open_options,
		     "delete eth0.10; create eth0.10; replace web/lan parent eth0.10 -> eth0.10");
	world_expect(
		live, "name: other\n" LAN("parent: eth0.10, ip_range: 172.16.86.128/25"),
		&open_options,
		"change eth0.10 mark mvapply:vlan:default -> mvapply:vlan:default,other; blocked "
		"web/lan: already attached by set \"default\": eth0 172.16.86.2/24 on eth0.10");
	world_expect(live, "", &open_options, "delete web/lan; delete eth0.10");
	world_free(live);
}

/* An unmanaged link that takes the name of a former managed VLAN. */
static void test_comes_later(void **state)
{
	(void)state;
	struct live *live = world_new();
	world_reach(live, LAN("parent: eth0.10"));
	rename_link(live, "eth0.10", "vlan10");
	world_expect(live, LAN("parent: eth0.10"), &open_options, "");
	bridge(live, "eth0.10");
	world_expect(live, LAN("parent: eth0.10"), &open_options,
		     "delete vlan10; replace web/lan parent vlan10 -> eth0.10");
	world_expect(live, LAN("parent: eth0, vlan: 10"), &open_options, "");
	world_free(live);
}

/* Names of one link make one LAN. */
static void test_one_link(void **state)
{
	(void)state;
	struct live *live = world_new();
	vlan(live, "vlan10", 2, 10);
	world_expect(
		live,
		"networks: {" NET("a", "parent: vlan10") ", " NET(
			"b",
			"parent: eth0.10") "}\n"
					   "containers: {web: {networks: {a: {ipv4_address: 172.16.86.9}}},"
					   " db: {networks: {b: {ipv4_address: 172.16.86.9}}}}\n",
		&open_options,
		"create web/a; blocked db/b: address 172.16.86.9 is already used by web/a");
	world_expect(
		live,
		"networks: {" NET("a", "parent: vlan10") ", " NET("b", "parent: eth0.10, driver: "
								       "ipvlan") "}\n",
		&open_options,
		"blocked b: cannot be ipvlan mode l2 on vlan10, where network a is macvlan mode "
		"bridge");
	world_free(live);
}

static void test_protocol_of_another(void **state)
{
	(void)state;
	struct live *live = world_new();
	bridge(live, "eth0.10");
	vlan(live, "eth1.10", 3, 10);
	world_expect(
		live, LAN("parent: eth0.10, vlan_protocol: 802.1q"), &open_options,
		"blocked lan: eth0.10 exists, but is not a VLAN of 802.1q; blocked web/lan: waits for "
		"network lan");
	world_expect(
		live, LAN("parent: eth1.10, vlan_protocol: 802.1ad"), &open_options,
		"blocked lan: eth1.10 exists, but is not a VLAN of 802.1ad; blocked web/lan: waits for "
		"network lan");
	world_expect(live, LAN("parent: eth1.10, vlan_protocol: 802.1q"), &open_options,
		     "create web/lan");
	world_free(live);
}

static void test_adopted(void **state)
{
	static const char *const cases[][2] = {
		{"parent: eth0.10", "change eth0.10 mark  -> mvapply:vlan:default; create web/lan"},
		{"parent: mgmt.20", "create web/lan"},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		char yaml[160];
		struct live *live = world_new();
		vlan(live, "eth0.10", 2, 10);
		vlan(live, "mgmt.20", 2, 20);
		snprintf(yaml, sizeof(yaml), LAN("%s"), cases[i][0]);
		world_expect(live, yaml, &adopt_options, cases[i][1]);
		world_free(live);
	}
}

/* Each kind of network is blocked; a VLAN on it, too. */
static void test_types(void **state)
{
	static const struct {
		uint16_t type;
		const char *kind, *reason;
	} rows[] = {
		{ARPHRD_NONE, "wireguard", "wireguard"},
		{ARPHRD_NONE, "tun", "tun"},
		{ARPHRD_NONE, "", "a tunnel without link layer addresses"},
		{ARPHRD_RAWIP, "wwan", "wwan"},
		{ARPHRD_PPP, "", "PPP"},
		{ARPHRD_INFINIBAND, "", "InfiniBand"},
		{ARPHRD_CAN, "vcan", "vcan"},
		{ARPHRD_SIT, "sit", "sit"},
		{ARPHRD_IPGRE, "gre", "gre"},
		{ARPHRD_ETHER, "vrf", "vrf"},
		{ARPHRD_NETLINK, "", "hardware type 824"},
	};
	static const char *const keys[] = {"", ", driver: ipvlan", ", driver: ipvlan, mode: l3",
					   ", driver: macvtap", ", vlan: 7"};
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		for (size_t k = 0; k < sizeof(keys) / sizeof(*keys); k++) {
			char yaml[160], steps[200];
			struct live *live = world_new();
			struct live_link *link = bridge(live, "up0");
			link->type = rows[i].type;
			link->kind_name = rows[i].kind;
			snprintf(yaml, sizeof(yaml), LAN("parent: up0%s"), keys[k]);
			snprintf(steps, sizeof(steps),
				 "blocked lan: parent up0 is not an Ethernet link: its type is %s; "
				 "blocked web/lan: waits for network lan",
				 rows[i].reason);
			world_expect(live, yaml, &open_options, steps);
			world_free(live);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_bridge),
		cmocka_unit_test(test_vlan_and_bridge),
		cmocka_unit_test(test_renamed_below),
		cmocka_unit_test(test_comes_later),
		cmocka_unit_test(test_one_link),
		cmocka_unit_test(test_protocol_of_another),
		cmocka_unit_test(test_adopted),
		cmocka_unit_test(test_types),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
