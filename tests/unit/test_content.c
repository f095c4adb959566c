/* The content of a namespace as a number: equal for what a plan sees as equal. */
#include "reconcile/state/content.h"

#include <arpa/inet.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define SECRET 4711

/* A container's namespace with its loopback, a link, an address and a route of each, and a rule. */
struct sample {
	struct live_link links[2];
	struct live_addr addrs[2];
	struct live_route routes[2];
	struct live_rule rules[1];
	struct live_sysctl sysctls[1];
	struct live_ns ns;
};

static void sample_init(struct sample *sample)
{
	memset(sample, 0, sizeof(*sample));
	for (size_t i = 0; i < 2; i++) {
		struct live_link *link = &sample->links[i];
		link->ifindex = (int)i + 1;
		link->name = i ? "eth0" : "lo";
		link->kind_name = i ? "macvlan" : "";
		link->alias = link->device = link->device_bus = "";
		sample->addrs[i].ifindex = sample->routes[i].ifindex = link->ifindex;
		sample->addrs[i].prefix =
			(struct prefix){{AF_INET, {i ? 10 : 127, 0, 0, 1}}, i ? 24 : 8};
		sample->addrs[i].created = 100;
		sample->routes[i].proto = RTPROT_KERNEL;
		sample->routes[i].to = (struct prefix){{AF_INET6, {[15] = 1}}, 128};
	}
	sample->links[0].flags = IFF_LOOPBACK;
	sample->routes[1].to = (struct prefix){{AF_INET, {10}}, 24};
	sample->sysctls[0] = (struct live_sysctl){"net.ipv4.conf.IFNAME.forwarding", "0"};
	sample->links[1].sysctls = sample->sysctls;
	sample->links[1].n_sysctls = 1;
	sample->ns = (struct live_ns){.name = "web",
				      .links = sample->links,
				      .n_links = 2,
				      .addrs = sample->addrs,
				      .n_addrs = 2,
				      .routes = sample->routes,
				      .n_routes = 2,
				      .rules = sample->rules,
				      .n_rules = 1};
}

static uint64_t content(const struct sample *sample)
{
	return live_ns_content(&sample->ns, true, SECRET);
}

static void same_in_another_place(void **state)
{
	struct sample one, two;
	char name[] = "eth0";
	(void)state;
	sample_init(&one);
	sample_init(&two);
	two.links[1].name = name;
	assert_int_not_equal(content(&one), 0);
	assert_true(content(&one) == content(&two));
	assert_false(content(&one) == live_ns_content(&two.ns, true, SECRET + 1));
}

/* Each changes one thing that a plan may depend on. */
static void mtu(struct sample *sample)
{
	sample->links[1].mtu = 1400;
}
static void flags(struct sample *sample)
{
	sample->links[1].flags = IFF_UP;
}
static void name(struct sample *sample)
{
	sample->links[1].name = "eth1";
}
static void loopback_name(struct sample *sample)
{
	sample->links[0].name = "loop";
}
static void alias(struct sample *sample)
{
	sample->links[1].alias = "mvapply:attach";
}
static void sysctl(struct sample *sample)
{
	sample->sysctls[0].value = "1";
}
static void address(struct sample *sample)
{
	sample->addrs[1].prefix.ip.bytes[3] = 2;
}
static void length(struct sample *sample)
{
	sample->addrs[1].prefix.len = 16;
}
static void foreign_on_lo(struct sample *sample)
{
	sample->addrs[0].prefix.ip.bytes[0] = 10;
}
static void route(struct sample *sample)
{
	sample->routes[1].options.metric = 7;
}
static void route_on_lo(struct sample *sample)
{
	sample->routes[0].proto = RTPROT_STATIC;
}
static void no_route(struct sample *sample)
{
	sample->ns.n_routes = 0;
}
static void rule(struct sample *sample)
{
	sample->rules[0].rule.priority = 9;
}
static void ns_name(struct sample *sample)
{
	sample->ns.name = "db";
}
static void ns_id(struct sample *sample)
{
	sample->ns.nsid = 3;
}
static void ns_dead(struct sample *sample)
{
	sample->ns.dead = true;
}
static void ns_crowded(struct sample *sample)
{
	sample->ns.crowded = "routes";
}

static void differs(void **state)
{
	static void (*const changes[])(struct sample *) = {
		mtu,     flags,   name,          loopback_name, alias,       sysctl,
		address, length,  foreign_on_lo, route,         route_on_lo, no_route,
		rule,    ns_name, ns_id,         ns_dead,       ns_crowded};
	struct sample one, two;
	(void)state;
	sample_init(&one);
	for (size_t i = 0; i < sizeof(changes) / sizeof(*changes); i++) {
		sample_init(&two);
		changes[i](&two);
		assert_false(content(&one) == content(&two));
	}
}

static void loopback_is_ignored_in_a_container(void **state)
{
	struct sample one, two;
	(void)state;
	sample_init(&one);
	sample_init(&two);
	two.links[0].flags |= IFF_UP | IFF_RUNNING;
	two.addrs[0].prefix.ip.bytes[3] = 2;
	two.routes[0].options.metric = 256;
	assert_true(content(&one) == content(&two));
	one.ns.host = two.ns.host = true;
	assert_false(content(&one) == content(&two));
}

/* As after its deletion and creation. */
static void another_ifindex(void **state)
{
	struct sample one, two;
	(void)state;
	sample_init(&one);
	sample_init(&two);
	two.links[1].ifindex = two.addrs[1].ifindex = two.routes[1].ifindex = 7;
	assert_true(content(&one) == content(&two));
	two.addrs[1].ifindex = 1;
	assert_false(content(&one) == content(&two));
	two.addrs[1].ifindex = two.routes[1].ifindex = 7;
	two.routes[1].ifindex = 1;
	assert_false(content(&one) == content(&two));
	two.routes[1].ifindex = 7;
	one.ns.host = two.ns.host = true;
	assert_false(content(&one) == content(&two));
}

static void link_local(void **state)
{
	struct sample one, two;
	const struct prefix local = {{AF_INET6, {0xfe, 0x80, [15] = 1}}, 64};
	(void)state;
	sample_init(&one);
	sample_init(&two);
	one.addrs[1].prefix = two.addrs[1].prefix = local;
	two.addrs[1].flags = 0x40; /* IFA_F_TENTATIVE */
	assert_false(content(&one) == content(&two));
	one.addrs[1].proto = two.addrs[1].proto = 3; /* IFAPROT_KERNEL_LL */
	assert_true(content(&one) == content(&two));
}

static void nothing_in_it(void **state)
{
	const struct live_ns ns = {.name = "web"};
	(void)state;
	assert_int_not_equal(live_ns_content(&ns, true, SECRET), 0);
}

static void time_of_creation(void **state)
{
	struct sample one, two;
	(void)state;
	sample_init(&one);
	sample_init(&two);
	two.addrs[1].created++;
	assert_true(content(&one) == content(&two));
	assert_false(live_ns_content(&one.ns, false, SECRET) ==
		     live_ns_content(&two.ns, false, SECRET));
}

static void limited_lifetime(void **state)
{
	struct sample sample;
	(void)state;
	sample_init(&sample);
	sample.addrs[1].valid = 3600;
	assert_int_equal(content(&sample), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(same_in_another_place),
					   cmocka_unit_test(differs),
					   cmocka_unit_test(loopback_is_ignored_in_a_container),
					   cmocka_unit_test(time_of_creation),
					   cmocka_unit_test(limited_lifetime),
					   cmocka_unit_test(another_ifindex),
					   cmocka_unit_test(link_local),
					   cmocka_unit_test(nothing_in_it)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
