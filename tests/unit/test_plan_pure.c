/* Planning without any library: its program links reconcile/plan/ and no libmnl, libyaml or jansson
 * (Makefile). */
#include "reconcile/plan/plan.h"

#include <linux/if_arp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define LOWER_UP 0x10000 /* IFF_LOWER_UP of linux/if.h, which does not go with net/if.h */

static struct ip ip(const char *text)
{
	struct ip value;
	assert_true(ip_parse(text, &value));
	return value;
}

static struct prefix prefix(const char *address, uint8_t length)
{
	return (struct prefix){.ip = ip(address), .len = length};
}

struct world {
	struct subnet subnet;
	struct network network;
	struct ip_range pool;
	struct attachment attachment;
	struct container container;
	struct set set;
	struct desired desired;
	struct live_link host_links[1], web_links[1];
	struct live_addr web_addrs[1];
	struct live_route web_routes[1];
	struct live_ns host, web, *namespaces[2];
	struct container_lookup lookup;
	struct live live;
};

static void declare(struct world *world)
{
	world->pool = (struct ip_range){ip("172.16.86.0"), ip("172.16.86.255")};
	world->subnet = (struct subnet){.prefix = prefix("172.16.86.0", 24),
					.pool = {&world->pool, 1},
					.gateway = ip("172.16.86.1")};
	world->network = (struct network){
		.name = "lan", .parent = "eth0", .subnets = &world->subnet, .n_subnets = 1};
	world->attachment =
		(struct attachment){.name = "lan", .network = &world->network, .first = true};
	world->container = (struct container){.name = "web",
					      .source = "web",
					      .attachments = &world->attachment,
					      .n_attachments = 1};
	world->set = (struct set){.name = "default",
				  .networks = &world->network,
				  .n_networks = 1,
				  .containers = &world->container,
				  .n_containers = 1};
	world->desired = (struct desired){.sets = &world->set, .n_sets = 1};
}

/* A host with eth0, and an empty namespace of the container. */
static void observe(struct world *world)
{
	world->host_links[0] = (struct live_link){.ifindex = 2,
						  .type = ARPHRD_ETHER,
						  .name = "eth0",
						  .kind_name = "",
						  .alias = "",
						  .mtu = 1500,
						  .flags = IFF_UP | IFF_RUNNING | LOWER_UP};
	world->host = (struct live_ns){.name = "the host",
				       .inode = 1,
				       .host = true,
				       .links = world->host_links,
				       .n_links = 1,
				       .details = true};
	world->web = (struct live_ns){.name = "web", .inode = 2, .details = true};
	world->namespaces[0] = &world->host;
	world->namespaces[1] = &world->web;
	world->lookup = (struct container_lookup){
		.container = &world->container, .state = CONTAINER_READY, .ns = &world->web};
	world->live = (struct live){.namespaces = world->namespaces,
				    .n_namespaces = 2,
				    .container_lookups = &world->lookup,
				    .n_containers = 1,
				    .addr_proto = true};
}

/* The kernel's state after the plan was applied. */
static void become(struct world *world, const struct link_spec *spec)
{
	world->web_links[0] = (struct live_link){.ifindex = 7,
						 .name = spec->name,
						 .kind = spec->kind,
						 .kind_name = "macvlan",
						 .alias = spec->alias,
						 .tag = spec->tag,
						 .mac = spec->mac,
						 .mtu = 1500,
						 .flags = IFF_UP | IFF_RUNNING | LOWER_UP,
						 .parent_where = PARENT_HOST,
						 .parent = 2,
						 .bclim = spec->bclim,
						 .txqueuelen = spec->txqueuelen,
						 .mode = spec->mode,
						 .mode_known = true};
	world->web_addrs[0] = (struct live_addr){
		.ifindex = 7, .prefix = spec->addrs[0], .proto = OWNER_TAG_PROTOCOL};
	world->web_routes[0] = (struct live_route){.ifindex = 7,
						   .to = spec->routes[0].to,
						   .via = spec->routes[0].via,
						   .proto = OWNER_TAG_PROTOCOL};
	world->web.links = world->web_links;
	world->web.addrs = world->web_addrs;
	world->web.routes = world->web_routes;
	world->web.n_links = world->web.n_addrs = world->web.n_routes = 1;
}

static void from_declaration_to_link(void **state)
{
	struct world world = {0};
	char text[PREFIX_TEXT_SIZE];
	(void)state;
	declare(&world);
	observe(&world);
	const struct plan *plan = plan_make(&world.desired, &world.live, &plan_options_default);
	assert_int_equal(plan->n_steps, 1);
	assert_int_equal(plan->steps[0].action, ACTION_CREATE);
	const struct link_spec *spec = plan->steps[0].desired;
	assert_int_equal(spec->kind, KIND_MACVLAN);
	assert_int_equal(spec->parent, 2);
	assert_string_equal(spec->name, "eth0");
	assert_string_equal(spec->alias, "mvapply:attach:default/lan/web");
	assert_int_equal(spec->n_addrs, 1);
	assert_string_equal(prefix_format(&spec->addrs[0], text), "172.16.86.2/24");
	assert_string_equal(mac_format(&spec->mac, text), "02:42:ac:10:56:02");
	assert_int_equal(spec->n_routes, 1);
	assert_string_equal(ip_format(&spec->routes[0].via, text), "172.16.86.1");

	become(&world, spec);
	const struct plan *second = plan_make(&world.desired, &world.live, &plan_options_default);
	assert_int_equal(second->n_steps, 0);
	plan_free(second);
	plan_free(plan);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(from_declaration_to_link)};
	return cmocka_run_group_tests_name("planning without libraries", tests, NULL, NULL);
}
