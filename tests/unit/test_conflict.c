/* Unmanaged objects: they are neither changed nor deleted. If one conflicts, the attachment is
 * blocked in a container's namespace, and on the host the run is refused. */
#include "tests/unit/world.h"

#include <linux/rtnetlink.h>
#include <net/if.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define LAN(keys)      "networks: {lan: {parent: eth0, subnet: 172.16.86.0/24" keys "}}\n"
#define LAN_GW(keys)   LAN(", gateway: 172.16.86.1" keys)
#define WEB            "containers: {web: {networks: [lan]}}\n"
#define WEB_WITH(keys) "containers: {web: {networks: {lan: {" keys "}}}}\n"
#define WEB_ETH0       WEB_WITH("interface_name: eth0")

static struct live_link *hand_made(struct live *live, const char *ns, const char *name)
{
	struct live_link *link = world_link(world_ns(live, ns), name, KIND_MACVLAN);
	link->parent_where = PARENT_HOST;
	link->parent = live_link_by_name(live->namespaces[0], "eth0")->ifindex;
	link->mode_known = true;
	link->has_bcqueuelen = true;
	link->bcqueuelen = 1000;
	return link;
}

static void test_unmanaged_name(void **state)
{
	(void)state;
	struct live *live = world_new();
	world_link(world_ns(live, "web"), "eth0", KIND_OTHER);
	world_expect(live, LAN("") WEB, &open_options, "create web/lan");
	world_expect(live, LAN("") WEB_WITH("interface_name: eth0"), &open_options,
		     "blocked web/lan: web has a link eth0 (device) that mvapply did not create");
	world_free(live);
}

/* The names of the created links, in the order of the steps. */
static void expect_names(struct live *live, const char *yaml, const char *expected)
{
	struct desired *desired = desired_from(yaml);
	const struct plan *plan = world_plan(live, desired);
	char names[64] = "";
	for (size_t i = 0; i < plan->n_steps; i++)
		snprintf(names + strlen(names), sizeof(names) - strlen(names), "%s%s", i ? " " : "",
			 plan->steps[i].desired->name);
	assert_string_equal(names, expected);
	plan_free(plan);
	desired_free(desired);
}

static void test_name_with_engine_links(void **state)
{
	static const char docker[] = LAN("") "containers: {web: {docker: web, networks: [lan]}}\n";
	(void)state;
	struct live *live = world_new();
	struct live_link *link = world_link(world_ns(live, "web"), "sit0", KIND_OTHER);
	link->kind_name = "sit";
	expect_names(live, docker, "eth0");
	/* Made in the container: its own veth pair, a tunnel of its own. */
	link->kind_name = "veth";
	link->parent_where = PARENT_SAME;
	expect_names(live, docker, "eth0");
	link->parent_where = PARENT_HOST;
	expect_names(live, docker, "lan0");
	link->parent_where = PARENT_OTHER_NETNS;
	link->name = "eth3";
	expect_names(live, docker, "lan0");
	/* A namespace of `ip netns` has no engine that adds links. */
	expect_names(live, LAN("") WEB, "eth0");
	link->name = "lan0";
	link->parent_where = PARENT_HOST;
	expect_names(live, docker, "lan1");
	world_free(live);
}

static void test_name_stays_with_engine_links(void **state)
{
	static const char docker[] = LAN("") "containers: {web: {docker: web, networks: [lan]}}\n";
	(void)state;
	struct live *live = world_new();
	world_reach(live, docker);
	assert_non_null(live_link_by_name(world_ns(live, "web"), "eth0"));
	struct live_link *link = world_link(world_ns(live, "web"), "eth1", KIND_OTHER);
	link->kind_name = "veth";
	world_expect(live, docker, &open_options, "");
	world_free(live);
	live = world_new();
	link = world_link(world_ns(live, "web"), "eth0", KIND_OTHER);
	link->kind_name = "veth";
	world_reach(live, docker);
	assert_non_null(live_link_by_name(world_ns(live, "web"), "lan0"));
	world_ns(live, "web")->links[0].name = "dead0";
	world_ns(live, "web")->links[0].kind_name = "dummy";
	world_expect(live, docker, &open_options, "");
	world_free(live);
}

static void test_unmanaged_mac(void **state)
{
	(void)state;
	struct live *live = world_new();
	hand_made(live, "db", "eth0")->mac =
		(struct mac){.bytes = {2, 0x42, 172, 16, 86, 2}, .set = true};
	world_expect(live, LAN_GW("") WEB, &open_options, "create web/lan");
	world_expect(live, LAN_GW("") WEB_WITH("mac_address: 02:42:ac:10:56:02"), &open_options,
		     "blocked web/lan: eth0 in db already has the MAC address 02:42:ac:10:56:02");
	world_free(live);
}

/* The MAC of the only step, which creates a link. */
static struct mac mac_made(struct live *live, const char *yaml, const struct refused_macs *refused)
{
	const struct plan_options options = {.unguarded = true, .refused = refused};
	struct desired *desired = desired_from(yaml);
	world_containers(live, desired);
	const struct plan *plan = plan_make(desired, live, &options);
	assert_string_equal(plan_text(plan), "create web/lan");
	const struct mac mac = plan->steps[0].desired->mac;
	plan_free(plan);
	desired_free(desired);
	return mac;
}

static void test_refused_mac(void **state)
{
	(void)state;
	struct live *live = world_new();
	struct refused_macs refused = {0};
	world_ns(live, "web");
	for (int i = 0; i < REFUSED_MACS_MAX; i++) {
		const struct mac mac = mac_made(live, LAN("") WEB, &refused);
		assert_int_equal(mac.bytes[0], i ? 0x0e : 0x02);
		assert_true(refused_macs_add(&refused, &mac));
		assert_false(refused_macs_add(&refused, &mac));
	}
	const struct mac asked = {.bytes = {2, 0, 0x5e, 0, 0, 7}, .set = true};
	refused_macs_add(&refused, &asked);
	const struct mac mac =
		mac_made(live, LAN("") WEB_WITH("mac_address: 02:00:5e:00:00:07"), &refused);
	assert_true(mac_equal(&mac, &asked));
	world_free(live);
}

/* The MAC of the one step of two that creates a link. */
static struct mac mac_beside(struct live *live, const struct refused_macs *refused)
{
	const struct plan_options options = {.unguarded = true, .refused = refused};
	struct desired *desired = desired_from(LAN("") WEB);
	world_containers(live, desired);
	const struct plan *plan = plan_make(desired, live, &options);
	assert_string_equal(plan_text(plan),
			    "delete web/lan: z0 in evil, which is not the namespace of "
			    "web; create web/lan");
	const struct mac mac = plan->steps[1].desired->mac;
	plan_free(plan);
	desired_free(desired);
	return mac;
}

/* The link is deleted first, so that its MAC is free. Its creator can create it again: then the
 * kernel refuses the MAC, and another one is chosen. */
static void test_mac_of_a_stray(void **state)
{
	(void)state;
	struct live *live = world_new();
	struct refused_macs refused = {0};
	world_ns(live, "web");
	const struct mac first = mac_made(live, LAN("") WEB, NULL);
	struct live_link *stray = hand_made(live, "evil", "z0");
	stray->tag = (struct owner_tag){
		.role = ROLE_ATTACH, .set = "default", .network = "lan", .container = "web"};
	stray->mac = first;
	struct mac mac = mac_beside(live, &refused);
	assert_true(mac_equal(&mac, &first));
	refused_macs_add(&refused, &first);
	mac = mac_beside(live, &refused);
	assert_false(mac_equal(&mac, &first));
	/* Nor the MAC of the stray, though it was never refused. */
	stray->mac = mac;
	const struct mac other = mac_beside(live, &refused);
	assert_false(mac_equal(&mac, &other));
	assert_false(mac_equal(&first, &other));
	world_free(live);
}

/* Two links can have one MAC, but only one of them can be up. */
static void test_mac_of_a_live_attachment(void **state)
{
	(void)state;
	struct live *live = world_new();
	world_ns(live, "web");
	world_reach(live, LAN("") WEB);
	struct live_link *own =
		(struct live_link *)(uintptr_t)live_link_by_name(world_ns(live, "web"), "eth0");
	struct live_link *rival = hand_made(live, "evil", "z0");
	const struct mac mac = own->mac;
	rival->mac = mac;
	rival->flags = 0;
	world_expect(live, LAN("") WEB, &open_options, "");
	/* While the own link was down, the other one was set up. */
	own->flags = 0;
	rival->flags = IFF_UP;
	struct desired *desired = desired_from(LAN("") WEB);
	const struct plan *plan = world_plan(live, desired);
	assert_int_equal(plan->n_steps, 1);
	assert_int_equal(plan->steps[0].action, ACTION_CHANGE);
	assert_false(mac_equal(&plan->steps[0].desired->mac, &mac));
	plan_free(plan);
	desired_free(desired);
	world_free(live);
}

static void test_unmanaged_address(void **state)
{
	(void)state;
	struct live *live = world_new();
	struct live_link *link = hand_made(live, "db", "eth0");
	world_addr(world_ns(live, "db"), link->ifindex, "172.16.86.2/24", 0);
	world_addr(live->namespaces[0], 2, "172.16.86.3/24", 0);
	struct desired *desired = desired_from(LAN_GW("") WEB);
	const struct plan *plan = world_plan(live, desired);
	char text[PREFIX_TEXT_SIZE];
	assert_string_equal(plan_text(plan), "create web/lan");
	assert_string_equal(prefix_format(&plan->steps[0].desired->addrs[0], text),
			    "172.16.86.4/24");
	plan_free(plan);
	desired_free(desired);
	world_expect(live, LAN_GW("") WEB_WITH("ipv4_address: 172.16.86.2"), &open_options,
		     "create web/lan");
	world_expect(live, LAN_GW("") WEB_WITH("ipv4_address: 172.16.86.3"), &open_options,
		     "refused web/lan: eth0 already has the address 172.16.86.3");
	world_free(live);
}

static void test_unmanaged_default_route(void **state)
{
	(void)state;
	struct live *live = world_new();
	struct live_ns *web = world_ns(live, "web");
	world_route(web, world_link(web, "uplink", KIND_OTHER)->ifindex, "0.0.0.0/0", "10.0.0.1",
		    RTPROT_BOOT);
	world_expect(live, LAN_GW("") WEB, &open_options,
		     "blocked web/lan: web already has a default route via 10.0.0.1");
	world_expect(live, LAN_GW("") WEB, &adopt_options, "create web/lan");
	world_expect(live, LAN("") WEB, &open_options, "create web/lan");
	/* A route with another metric does not conflict. */
	web->routes[0].options.metric = 100;
	world_expect(live, LAN_GW("") WEB, &open_options, "create web/lan");
	world_free(live);
}

static void test_adopt(void **state)
{
	(void)state;
	struct live *live = world_new();
	struct live_ns *web = world_ns(live, "web");
	struct live_link *link = hand_made(live, "web", "eth0");
	link->mac = (struct mac){.bytes = {2, 0x42, 172, 16, 86, 2}, .set = true};
	world_addr(web, link->ifindex, "172.16.86.2/24", 0);
	world_route(web, link->ifindex, "0.0.0.0/0", "172.16.86.1", RTPROT_BOOT);
	world_expect(
		live, LAN_GW("") WEB, &adopt_options,
		"change web/lan mark  -> mvapply:attach:default/lan/web, address 172.16.86.2/24 -> "
		"172.16.86.2/24, route default via 172.16.86.1 -> default via 172.16.86.1");
	world_free(live);
}

static void test_unmanaged_address_on_managed_link_stays(void **state)
{
	(void)state;
	struct live *live = world_new();
	world_reach(live, LAN_GW("") WEB);
	struct live_ns *web = world_ns(live, "web");
	world_addr(web, web->links[0].ifindex, "192.0.2.7/24", 0);
	world_expect(live, LAN_GW("") WEB, &open_options, "");
	live->addr_proto = false;
	world_expect(live, LAN_GW("") WEB, &open_options,
		     "change web/lan address 192.0.2.7/24 -> none");
	world_free(live);
}

static struct live_link *tagged(struct live *live, const char *ns, const char *name,
				enum link_kind kind, const char *alias)
{
	struct live_link *link = world_link(world_ns(live, ns), name, kind);
	link->alias = alias;
	link->tag = owner_tag_parse(world_ns(live, ns)->arena, alias);
	return link;
}

static struct live_link *tagged_on(struct live *live, const char *ns, enum link_kind kind,
				   enum parent_where where)
{
	struct live_link *link = tagged(live, ns, "eth0", kind, "mvapply:attach:default/lan/web");
	link->parent_where = where;
	link->parent = 2;
	link->mode_known = true;
	link->mode = MODE_BRIDGE;
	return link;
}

/* Whoever controls a namespace can give links in it any alias. For other kinds IFLA_LINK may be a
 * peer. */
static void test_tags_of_others(void **state)
{
	static const struct {
		enum link_kind kind;
		enum parent_where where;
	} others[] = {{KIND_MACVLAN, PARENT_NONE},
		      {KIND_OTHER, PARENT_NONE},
		      {KIND_OTHER, PARENT_SAME},
		      {KIND_OTHER, PARENT_OTHER_NETNS}};
	(void)state;
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		struct live *live = world_new();
		tagged_on(live, "web", others[i].kind, others[i].where)->kind_name = "macvlan";
		world_expect(live, "", &open_options, "");
		world_expect(live, LAN("") WEB, &open_options, "create web/lan");
		world_expect(live, LAN("") WEB_ETH0, &open_options,
			     "blocked web/lan: web has a link eth0 (macvlan) that belongs to set "
			     "\"default\"");
		world_free(live);
	}
}

/* An attachment whose parent was moved away: managed in the namespace of the container that it
 * names, and another host's in any other. */
static void test_parent_away(void **state)
{
	static const enum parent_where away[] = {PARENT_SAME, PARENT_OTHER_NETNS};
	static const char web_gone[] = LAN("") "containers: {web: {netns: gone, networks: [lan]}}";
	(void)state;
	for (size_t i = 0; i < sizeof(away) / sizeof(away[0]); i++) {
		struct live *live = world_new();
		struct live_link *link = tagged_on(live, "web", KIND_MACVLAN, away[i]);
		link->mac = (struct mac){.bytes = {2, 0x42, 172, 16, 86, 1}, .set = true};
		world_addr(world_ns(live, "web"), link->ifindex, "172.16.86.1/24",
			   OWNER_TAG_PROTOCOL);
		world_expect(live, "", &open_options, "");
		world_expect(live, web_gone, &open_options,
			     "pending web/lan: no network namespace yet");
		world_expect(live, LAN("") "containers: {db: {networks: [lan]}}", &open_options,
			     "create db/lan");
		world_expect(live, LAN("") WEB, &open_options,
			     "replace web/lan parent in another namespace -> eth0");
		world_free(live);

		live = world_new();
		tagged_on(live, "ci", KIND_MACVLAN, away[i]);
		world_expect(live, LAN("") WEB, &open_options, "create web/lan");
		world_free(live);
	}
}

/* Links of these roles are the host's. */
static void test_tags_in_a_container(void **state)
{
	(void)state;
	struct live *live = world_new();
	tagged(live, "web", "a", KIND_VLAN, "mvapply:vlan:default")->parent = 2;
	tagged(live, "web", "b", KIND_DUMMY, "mvapply:dummy:default/lan");
	tagged(live, "web", "c", KIND_MACVLAN, "mvapply:host:default/lan");
	world_expect(live, "", &open_options, "");
	world_expect(live, LAN("") WEB, &open_options, "create web/lan");
	world_free(live);
}

static void test_mac_of_the_parent(void **state)
{
	(void)state;
	struct live *live = world_new();
	world_expect(live, LAN("") WEB_WITH("mac_address: 52:54:00:00:01:01"), &open_options,
		     "refused web/lan: eth0 already has the MAC address 52:54:00:00:01:01");
	world_free(live);
}

static void test_passthru_alone(void **state)
{
	(void)state;
	struct live *live = world_new();
	hand_made(live, "ci", "x");
	world_expect(live, LAN("") WEB, &open_options, "create web/lan");
	world_expect(live, LAN(", mode: passthru") WEB, &open_options,
		     "blocked web/lan: parent eth0 already carries x in ci (macvlan)");
	world_free(live);
}

static void test_adopt_no_other(void **state)
{
	static const char in_use[] =
		"blocked web/lan: web has a link eth0 (macvlan) that mvapply did not create";
	(void)state;
	struct live *live = world_new();
	struct live_link *link = hand_made(live, "web", "eth0");
	link->parent_where = PARENT_SAME;
	world_expect(live, LAN("") WEB_ETH0, &adopt_options, in_use);
	link->parent_where = PARENT_HOST;
	link->parent = live_link_by_name(live->namespaces[0], "eth1")->ifindex;
	world_expect(live, LAN("") WEB_ETH0, &adopt_options, in_use);
	link->parent = live_link_by_name(live->namespaces[0], "eth0")->ifindex;
	link->alias = "mvapply:attach:prod/lan/web";
	link->tag = owner_tag_parse(live->arena, link->alias);
	world_expect(live, LAN("") WEB_ETH0, &adopt_options,
		     "blocked web/lan: web has a link eth0 (macvlan) that belongs to set \"prod\"");
	world_free(live);
}

/* Two networks on its parent, and one of them adopts it. */
static void test_adopt_once(void **state)
{
	(void)state;
	struct live *live = world_new();
	hand_made(live, "web", "eth0")->mac =
		(struct mac){.bytes = {2, 0x42, 10, 1, 0, 2}, .set = true};
	world_expect(
		live,
		"networks: {a: {parent: eth0, subnet: 10.1.0.0/24}, b: {parent: eth0, subnet: "
		"10.2.0.0/24}}\n"
		"containers: {web: {networks: [a, b]}}\n",
		&adopt_options,
		"change web/a mark  -> mvapply:attach:default/a/web, address none -> 10.1.0.2/24; "
		"create web/b");
	world_free(live);
}

/* A link of another set cannot be adopted. */
static void test_adopt_no_set_route(void **state)
{
	static const char prod[] =
		"name: prod\n"
		"networks: {wan: {parent: eth1, subnet: 10.2.0.0/24}}\n"
		"containers: {web: {networks: {wan: {routes: [{to: 10.9.0.0/16, via: 10.2.0.9}]}}}}\n";
	(void)state;
	struct live *live = world_new();
	world_reach(live, "name: lab\n" LAN("")
				  WEB_WITH("routes: [{to: 10.9.0.0/16, via: 172.16.86.9}]"));
	world_expect(
		live, prod, &adopt_options,
		"blocked web/wan: web already has a route to 10.9.0.0/16 via 172.16.86.9, of set "
		"\"lab\"");
	world_free(live);
}

/* Before Linux 5.18 addresses have no protocol: all of an attachment's count as managed, except
 * those that the kernel adds, and except those of a VLAN link, which are the host's. */
static void test_addresses_without_protocol(void **state)
{
	(void)state;
	struct live *live = world_new();
	live->addr_proto = false;
	world_reach(live, "name: lab\n" LAN(", vlan: 10") WEB);
	world_reach(live, "name: prod\n" LAN(", vlan: 10") "containers: {db: {networks: {lan: "
							   "{ipv4_address: 172.16.86.9}}}}\n");
	struct live_ns *web = world_ns(live, "web");
	world_addr(web, web->links[0].ifindex, "fe80::42:acff:fe10:5602/64", 0);
	world_expect(live, "name: lab\n" LAN(", vlan: 10") WEB, &open_options, "");
	world_addr(live->namespaces[0], live_link_by_name(live->namespaces[0], "eth0.10")->ifindex,
		   "192.0.2.1/24", 0);
	world_expect(
		live, "name: lab\n", &open_options,
		"delete web/lan; change eth0.10 mark mvapply:vlan:lab,prod -> mvapply:vlan:prod");
	world_free(live);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_unmanaged_name),
		cmocka_unit_test(test_name_with_engine_links),
		cmocka_unit_test(test_name_stays_with_engine_links),
		cmocka_unit_test(test_unmanaged_mac),
		cmocka_unit_test(test_refused_mac),
		cmocka_unit_test(test_mac_of_a_stray),
		cmocka_unit_test(test_mac_of_a_live_attachment),
		cmocka_unit_test(test_unmanaged_address),
		cmocka_unit_test(test_unmanaged_default_route),
		cmocka_unit_test(test_adopt),
		cmocka_unit_test(test_unmanaged_address_on_managed_link_stays),
		cmocka_unit_test(test_tags_of_others),
		cmocka_unit_test(test_parent_away),
		cmocka_unit_test(test_tags_in_a_container),
		cmocka_unit_test(test_mac_of_the_parent),
		cmocka_unit_test(test_passthru_alone),
		cmocka_unit_test(test_adopt_no_other),
		cmocka_unit_test(test_adopt_once),
		cmocka_unit_test(test_adopt_no_set_route),
		cmocka_unit_test(test_addresses_without_protocol),
	};
	return cmocka_run_group_tests_name("foreign", tests, NULL, NULL);
}
