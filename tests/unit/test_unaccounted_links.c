/* The kernel's list of multicast groups beside the links that are known, as texts of
 * /proc/net/dev_mcast. */
#include "reconcile/observe/unaccounted_links.h"
#include "tests/unit/world.h"

#include <net/if.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define ETH0 2
#define ETH1 3

static struct live_link *link_on(struct live_ns *ns, enum link_kind kind, int parent)
{
	struct live_link *link = world_link(ns, "lan0", kind);
	link->parent_where = PARENT_HOST;
	link->parent = parent;
	return link;
}

/* As the kernel writes it: other addresses of the link, too, and other links. */
static bool unaccounted(const struct live *live, int ifindex, unsigned count)
{
	char text[512];
	snprintf(text, sizeof(text),
		 "%-4d %-15s %-5d %-5d 333300000001\n%-4d %-15s %-5u %-5d 01005e000001\n"
		 "%-4d %-15s %-5d %-5d 01005e0000fb\n%-4d %-15s %-5d %-5d 01005e000001\n",
		 ifindex, "eth0", 77, 0, ifindex, "eth0", count, 0, ifindex, "eth0", 77, 0, 9999,
		 "br0", 77, 0);
	return links_unaccounted(live, text);
}

static void alone(void **state)
{
	struct live *live = world_new();
	(void)state;
	assert_false(unaccounted(live, ETH0, 1));
	assert_true(unaccounted(live, ETH0, 2));
	char nothing[] = "", nonsense[] = "x\n\n2 eth0\n2 eth0 9 0 \n2 eth0 9 0 01005e00000";
	assert_false(links_unaccounted(live, nothing));
	assert_false(links_unaccounted(live, nonsense));
	world_free(live);
}

static void known_links_count_if_up(void **state)
{
	static const enum link_kind kinds[] = {KIND_MACVLAN, KIND_IPVLAN, KIND_MACVTAP, KIND_VLAN};
	(void)state;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
		struct live *live = world_new();
		link_on(world_ns(live, "web"), kinds[i], ETH0);
		struct live_link *link = link_on(world_ns(live, "db"), kinds[i], ETH0);
		link_on(world_ns(live, "ci"), kinds[i], ETH1);
		assert_false(unaccounted(live, ETH0, 3));
		assert_true(unaccounted(live, ETH0, 4));
		link->flags = 0;
		assert_false(unaccounted(live, ETH0, 2));
		assert_true(unaccounted(live, ETH0, 3));
		world_free(live);
	}
}

static void what_is_not_on_the_parent(void **state)
{
	struct live *live = world_new();
	(void)state;
	link_on(world_ns(live, "web"), KIND_OTHER, ETH0); /* veth: that is its peer */
	link_on(world_ns(live, "web"), KIND_MACVLAN, ETH0)->parent_where = PARENT_SAME;
	link_on(world_ns(live, "web"), KIND_MACVLAN, 4711);
	assert_true(unaccounted(live, ETH0, 2));
	world_free(live);
}

/* A VLAN link passes its group on to eth0, for which the kernel counts it twice. */
static void on_a_vlan(void **state)
{
	struct live *live = world_new();
	(void)state;
	struct live_ns *host = live->namespaces[0];
	const int vlan = link_on(host, KIND_VLAN, ETH0)->ifindex;
	link_on(world_ns(live, "web"), KIND_MACVLAN, vlan);
	assert_false(unaccounted(live, ETH0, 2));
	assert_false(unaccounted(live, vlan, 3));
	assert_true(unaccounted(live, vlan, 4));
	world_free(live);
}

/* A bond passes its group on to all members, or to the active one alone. */
static void on_a_bond(void **state)
{
	static const struct {
		const char *text;
		bool unaccounted;
	} rows[] = {
		{"4 bond0 3 0 01005e000001\n2 eth0 2 0 01005e000001\n3 eth1 2 0 01005e000001\n",
		 false},
		{"4 bond0 2 0 01005e000001\n2 eth0 2 0 01005e000001\n3 eth1 1 0 01005e000001\n",
		 false},
		{"2 eth0 2 0 01005e000001\n3 eth1 1 0 01005e000001\n4 bond0 3 0 01005e000001\n",
		 true},
		{"4 bond0 4 0 01005e000001\n2 eth0 2 0 01005e000001\n3 eth1 2 0 01005e000001\n",
		 true},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		char text[256];
		struct live *live = world_new();
		struct live_ns *host = live->namespaces[0];
		const int bond = world_link(host, "bond0", KIND_OTHER)->ifindex;
		assert_int_equal(bond, 4);
		for (size_t k = 0; k < host->n_links; k++)
			if (host->links[k].ifindex == ETH0 || host->links[k].ifindex == ETH1)
				host->links[k].master = bond;
		snprintf(text, sizeof(text), "%s", rows[i].text);
		assert_int_equal(links_unaccounted(live, text), rows[i].unaccounted);
		world_free(live);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(alone),     cmocka_unit_test(known_links_count_if_up),
		cmocka_unit_test(on_a_vlan), cmocka_unit_test(what_is_not_on_the_parent),
		cmocka_unit_test(on_a_bond),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
