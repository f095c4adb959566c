/* Plans on kernels before 5.18, whose addresses have no protocol: all addresses of an attachment's
 * link count as managed, also those of other programs. */
#include "tests/unit/world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define DUAL                                                                                       \
	"networks: {lan: {parent: eth0, subnets: [{subnet: 172.16.86.0/24}, {subnet: "             \
	"\"fd00:86::/64\"}]}}\n"
#define WEB "containers: {web: {networks: [lan]}}\n"
#define HOST                                                                                       \
	"networks: {lan: {parent: eth0, subnet: 172.16.86.0/24, host: {interface_name: lan-host}}}\n"

#define MARKED                                                                                     \
	"change lan mark  -> mvapply:host:default/lan, mac_address 52:54:00:00:01:03 -> "          \
	"02:42:ac:10:56:"

static struct live *world_without_protocol(const char *yaml)
{
	struct live *live = world_new();
	live->addr_proto = false;
	if (yaml)
		world_reach(live, yaml);
	return live;
}

static void set_age(struct live_ns *ns, const char *prefix, uint32_t created)
{
	char text[PREFIX_TEXT_SIZE];
	for (size_t i = 0; i < ns->n_addrs; i++) {
		ns->addrs[i].proto = 0;
		if (strcmp(prefix_format(&ns->addrs[i].prefix, text), prefix) == 0)
			ns->addrs[i].created = created;
	}
}

/* The kernel's order: IPv4 oldest first, IPv6 newest first (ipv6_link_dev_addr). */
static void reverse(struct live_ns *ns)
{
	for (size_t i = 0; i < ns->n_addrs / 2; i++) {
		struct live_addr first = ns->addrs[i];
		ns->addrs[i] = ns->addrs[ns->n_addrs - 1 - i];
		ns->addrs[ns->n_addrs - 1 - i] = first;
	}
}

/* Another program's address in the subnet is newer than mvapply's. */
static void test_stranger(void **state)
{
	static const struct {
		const char *own, *stranger, *expected;
	} rows[] = {
		{"fd00:86::2/64", "fd00:86::77/64",
		 "change web/lan address fd00:86::77/64 -> none"},
		{"172.16.86.2/24", "172.16.86.77/24",
		 "change web/lan address 172.16.86.77/24 -> none"},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		/* The kernel's counter may wrap between the two. */
		for (uint32_t created = 100; created + 1000 != 100; created -= 1000) {
			struct live *live = world_without_protocol(DUAL WEB);
			struct live_ns *web = world_ns(live, "web");
			world_addr(web, web->links[0].ifindex, rows[i].stranger, 0);
			set_age(web, rows[i].own, created);
			set_age(web, rows[i].stranger, created + 500);
			world_expect(live, DUAL WEB, &open_options, rows[i].expected);
			reverse(web);
			world_expect(live, DUAL WEB, &open_options, rows[i].expected);
			world_free(live);
			if (created != 100)
				break;
		}
	}
}

/* The link of a renamed network is replaced: the new one has the address that was mvapply's. */
static void test_renamed_network(void **state)
{
	(void)state;
	static const char renamed[] = "networks: {new: {parent: eth0, subnet: \"fd00:86::/64\"}}\n"
				      "containers: {web: {networks: [new]}}\n";
	struct live *live = world_without_protocol(
		"networks: {lan: {parent: eth0, subnet: \"fd00:86::/64\"}}\n" WEB);
	struct live_ns *web = world_ns(live, "web");
	char text[PREFIX_TEXT_SIZE];
	world_addr(web, web->links[0].ifindex, "fd00:86::77/64", 0);
	set_age(web, "fd00:86::2/64", 100);
	set_age(web, "fd00:86::77/64", 600);
	reverse(web);
	world_reach(live, renamed);
	assert_int_equal(web->n_addrs, 1);
	assert_string_equal(prefix_format(&web->addrs[0].prefix, text), "fd00:86::2/64");
	world_free(live);
}

/* Two addresses of the same hundredth of a second: the order of the kernel's list decides. */
static void test_same_age(void **state)
{
	(void)state;
	struct live *live = world_without_protocol(DUAL WEB);
	struct live_ns *web = world_ns(live, "web");
	world_addr(web, web->links[0].ifindex, "172.16.86.77/24", 0);
	world_addr(web, web->links[0].ifindex, "fd00:86::77/64", 0);
	set_age(web, "", 0);
	/* The IPv6 addresses alone are listed from the newest to the oldest. */
	for (size_t i = 0; i < web->n_addrs; i++)
		for (size_t k = i + 1; k < web->n_addrs; k++)
			if (web->addrs[i].prefix.ip.family == AF_INET6 &&
			    web->addrs[k].prefix.ip.family == AF_INET6) {
				struct live_addr first = web->addrs[i];
				web->addrs[i] = web->addrs[k];
				web->addrs[k] = first;
			}
	world_expect(
		live, DUAL WEB, &open_options,
		"change web/lan address fd00:86::77/64 -> none, address 172.16.86.77/24 -> none");
	world_free(live);
}

static struct live_link *link_made_by_hand(struct live *live, const char *ns, const char *name)
{
	struct live_link *link = world_link(world_ns(live, ns), name, KIND_MACVLAN);
	link->parent_where = PARENT_HOST;
	link->parent = live_link_by_name(live->namespaces[0], "eth0")->ifindex;
	link->mode_known = true;
	link->mode = MODE_BRIDGE;
	return link;
}

/* After an adoption all addresses of the link count as managed: the plan that adopts it announces
 * what becomes of each, and the next one has nothing to do. */
static void test_adoption(void **state)
{
	static const struct {
		const char *addrs[2], *expected;
	} rows[] = {
		{{"172.16.86.9/32", NULL}, MARKED "09"},
		{{"172.16.86.9/24", NULL},
		 MARKED "09, address 172.16.86.9/24 -> none, address none -> 172.16.86.9/32"},
		{{"172.16.86.9/24", "192.0.2.1/24"},
		 MARKED "09, address 172.16.86.9/24 -> none, address 192.0.2.1/24 -> none, address "
			"none -> 172.16.86.9/32"},
		{{"192.0.2.1/24", NULL},
		 MARKED "fd, address 192.0.2.1/24 -> none, address none -> 172.16.86.253/32"},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct live *live = world_without_protocol(NULL);
		struct live_ns *host = live->namespaces[0];
		const int ifindex = link_made_by_hand(live, "the host", "lan-host")->ifindex;
		for (size_t k = 0; k < 2 && rows[i].addrs[k]; k++)
			world_addr(host, ifindex, rows[i].addrs[k], 0);
		world_expect(live, HOST, &adopt_options, rows[i].expected);
		struct desired *desired = desired_from(HOST);
		world_containers(live, desired);
		const struct plan *plan = plan_make(desired, live, &adopt_options);
		world_apply(live, plan);
		plan_free(plan);
		desired_free(desired);
		world_expect(live, HOST, &open_options, "");
		world_free(live);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_stranger),
		cmocka_unit_test(test_renamed_network),
		cmocka_unit_test(test_same_age),
		cmocka_unit_test(test_adoption),
	};
	return cmocka_run_group_tests_name("addr_proto", tests, NULL, NULL);
}
