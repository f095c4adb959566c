/* A container can have any number of links, addresses and routes: the work of planning must be
 * proportional to them. The measure is the number of entered basic blocks of the library
 * (-fsanitize-coverage=trace-pc), which is deterministic. */
#include "cmd/watch/backoff.h"
#include "cmd/watch/retry_keys.h"
#include "convert/export.h"
#include "lib/hash.h"
#include "reconcile/observe/netns_owner.h"
#include "reconcile/plan/fingerprint.h"
#include "reconcile/plan/stages.h"
#include "tests/unit/world.h"

#include <linux/if_addr.h>
#include <linux/if_arp.h>
#include <linux/rtnetlink.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/between.h"

static uint64_t blocks;

void __sanitizer_cov_trace_pc(void);

void __sanitizer_cov_trace_pc(void)
{
	blocks++;
}

#define SMALL_COUNT 500
#define MANY        (8 * SMALL_COUNT)
/* Eight times as much, and somewhat more for sorting. */
#define GROWTH_MAX 13

#define LAN                                                                                        \
	"networks: {lan: {parent: eth0, subnet: 172.16.0.0/16, gateway: 172.16.0.1},\n"            \
	"           way: {parent: eth1, subnet: 10.99.0.0/16}}\n"                                  \
	"containers:\n"                                                                            \
	"  web: {networks: {lan: {routes: [{to: 10.98.0.0/16, via: 172.16.0.9}]}}}\n"              \
	"  db: {networks: [lan, way]}\n"                                                           \
	"  ci: {networks: [lan]}\n"

static const struct plan_options open = {.unguarded = true};
static const struct plan_options adopt = {.unguarded = true, .adopt = true};

struct evil {
	struct live *live;
	struct live_ns *ns; /* its own, with one managed attachment in it */
	int own;            /* that attachment */
	size_t count;
};

static const char *text(const struct evil *evil, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static const char *text(const struct evil *evil, const char *format, ...)
{
	char bytes[128];
	va_list args;
	va_start(args, format);
	vsnprintf(bytes, sizeof(bytes), format, args);
	va_end(args);
	return arena_strdup(evil->ns->arena, bytes);
}

static const char *prefix(const struct evil *evil, size_t number, int length)
{
	return text(evil, "10.%zu.%zu.0/%d", number / 256, number % 256, length);
}

/* As world_link, without searching a free ifindex among all. */
static struct live_link *link_add(struct evil *evil, size_t number, const char *name,
				  enum link_kind kind)
{
	struct live_link *link = array_push(evil->ns->arena, evil->ns->links, evil->ns->n_links);
	*link = (struct live_link){
		.ifindex = 1000 + (int)number,
		.type = ARPHRD_ETHER,
		.name = name,
		.kind = kind,
		.kind_name = kind == KIND_MACVLAN ? "macvlan" : "",
		.alias = "",
		.mtu = 1500,
		.mac = {.bytes = {2, 1, 0, 0, (uint8_t)(number >> 8), (uint8_t)number},
			.set = true}};
	return link;
}

static struct live_link *macvlan_add(struct evil *evil, size_t number)
{
	struct live_link *link = link_add(evil, number, text(evil, "z%zu", number), KIND_MACVLAN);
	link->parent_where = PARENT_HOST;
	link->parent = 2;
	link->mode_known = true;
	return link;
}

static void routes_of_ours(struct evil *evil)
{
	for (size_t i = 0; i < evil->count; i++)
		world_route(evil->ns, evil->own, prefix(evil, i, 24), NULL, OWNER_TAG_PROTOCOL);
}

static void routes_of_its_own(struct evil *evil)
{
	for (size_t i = 0; i < evil->count; i++) {
		const int ifindex = link_add(evil, i, text(evil, "z%zu", i), KIND_OTHER)->ifindex;
		world_route(evil->ns, ifindex, prefix(evil, i, 24), NULL, RTPROT_BOOT);
	}
}

static void default_routes(struct evil *evil)
{
	link_add(evil, 0, "z", KIND_OTHER);
	for (size_t i = 0; i < evil->count; i++) {
		world_route(evil->ns, 1000, "0.0.0.0/0", "10.0.0.1", OWNER_TAG_PROTOCOL);
		evil->ns->routes[evil->ns->n_routes - 1].options.metric = 1 + (uint32_t)i;
	}
}

static void names(struct evil *evil)
{
	for (size_t i = 0; i < evil->count; i++)
		link_add(evil, i, text(evil, "eth%zu", i), KIND_OTHER);
}

static void altnames(struct evil *evil)
{
	struct live_link *link = link_add(evil, 0, "z", KIND_OTHER);
	for (size_t i = 0; i < evil->count; i++)
		*array_push(evil->ns->arena, link->altnames, link->n_altnames) =
			text(evil, "eth%zu", i);
	for (size_t i = 1; i < 64; i++)
		link_add(evil, i, text(evil, "y%zu", i), KIND_OTHER);
}

static void addresses_of_ours(struct evil *evil)
{
	for (size_t i = 0; i < evil->count; i++)
		world_addr(evil->ns, evil->own, prefix(evil, i, 24), OWNER_TAG_PROTOCOL);
}

static void addresses_of_its_own(struct evil *evil)
{
	for (size_t i = 0; i < evil->count; i++)
		world_addr(evil->ns, evil->own, prefix(evil, i, 24), 0);
}

/* The lowest addresses of the subnet, which are chosen first. */
static void claims(struct evil *evil)
{
	for (size_t i = 0; i < evil->count; i++)
		world_addr(evil->ns, macvlan_add(evil, i)->ifindex,
			   text(evil, "172.16.%zu.%zu/16", i / 256, i % 256), 0);
}

static void tag(struct evil *evil, struct live_link *link, const char *alias)
{
	link->alias = alias;
	link->tag = owner_tag_parse(evil->ns->arena, alias);
}

static void tags_alike(struct evil *evil)
{
	for (size_t i = 0; i < evil->count; i++)
		tag(evil, macvlan_add(evil, i), "mvapply:attach:default/lan/web");
}

static void tags_of_many(struct evil *evil)
{
	for (size_t i = 0; i < evil->count; i++)
		tag(evil, macvlan_add(evil, i), text(evil, "mvapply:attach:default/lan/c%zu", i));
}

static void tags_of_others(struct evil *evil)
{
	for (size_t i = 0; i < evil->count; i++)
		tag(evil, macvlan_add(evil, i), text(evil, "mvapply:attach:s%zu/lan/web", i));
}

/* Each has an address in a subnet of its own, and a default route. */
static void tag_with_subnet(struct evil *evil, size_t number, const char *alias)
{
	struct live_link *link = macvlan_add(evil, number);
	tag(evil, link, alias);
	world_addr(evil->ns, link->ifindex,
		   text(evil, "10.%zu.%zu.2/24", number / 256, number % 256), OWNER_TAG_PROTOCOL);
	world_route(evil->ns, link->ifindex, "0.0.0.0/0",
		    text(evil, "10.%zu.%zu.1", number / 256, number % 256), OWNER_TAG_PROTOCOL);
	evil->ns->routes[evil->ns->n_routes - 1].options.metric = 1 + (uint32_t)number;
}

static void subnets_of_tags(struct evil *evil)
{
	for (size_t i = 0; i < evil->count; i++)
		tag_with_subnet(evil, i, text(evil, "mvapply:attach:default/lan/c%zu", i));
}

static void networks_of_tags(struct evil *evil)
{
	for (size_t i = 0; i < evil->count; i++)
		tag_with_subnet(evil, i, text(evil, "mvapply:attach:default/n%zu/db", i));
}

static void untagged_add(struct evil *evil, size_t number, const char *address)
{
	world_addr(evil->ns, macvlan_add(evil, number)->ifindex, address, 0);
	evil->ns->addrs[evil->ns->n_addrs - 1].flags = IFA_F_PERMANENT;
}

static void untagged(struct evil *evil)
{
	for (size_t i = 0; i < evil->count; i++)
		untagged_add(evil, i, text(evil, "10.1.%zu.%zu/16", i / 256, i % 256));
}

static void untagged_subnets(struct evil *evil)
{
	for (size_t i = 0; i < evil->count; i++)
		untagged_add(evil, i, text(evil, "10.%zu.%zu.2/24", i / 256, i % 256));
}

/* A user who can create namespaces has an owner tag in each. */
static void namespaces(struct evil *evil)
{
	struct live_ns *own = evil->ns;
	for (size_t i = 0; i < evil->count; i++) {
		struct arena *arena = arena_new();
		struct live_ns *ns = arena_alloc(arena, sizeof(*ns));
		*ns = (struct live_ns){
			.arena = arena, .inode = 1000 + i, .name = "pid 1", .details = true};
		*array_push(evil->live->arena, evil->live->namespaces, evil->live->n_namespaces) =
			ns;
		evil->ns = ns;
		tag(evil, macvlan_add(evil, 0), text(evil, "mvapply:attach:default/lan/c%zu", i));
		untagged_add(evil, 1, text(evil, "10.%zu.%zu.2/24", i / 256, i % 256));
	}
	evil->ns = own;
}

/* Collisions for a table of owner tags: names whose hashes by lib/hash.h have equal lower bits, for
 * a table of some thousand entries. */
static void tags_that_collide(struct evil *evil)
{
	const uint64_t before =
		hash_text(hash_text(HASH_START ^ (uint64_t)ROLE_ATTACH, "default"), "lan");
	size_t number = 0;
	for (size_t i = 0; i < evil->count; i++, number++) {
		char name[32];
		do
			snprintf(name, sizeof(name), "%zx", ++number);
		while (hash_text(before, name) & 0x1fff);
		tag(evil, macvlan_add(evil, i), text(evil, "mvapply:attach:default/lan/%s", name));
	}
}

/* Collisions for a table of addresses: a multiplication distinguishes them in the upper bits
 * only. */
static void addresses_that_collide(struct evil *evil)
{
	const uint64_t factor = 0x9e3779b97f4a7c15;
	const int ifindex = macvlan_add(evil, 0)->ifindex;
	for (uint64_t i = 0; i < evil->count; i++) {
		const uint64_t upper = 0xfd | i << 16, mixed = (upper ^ AF_INET6) * factor;
		const uint64_t words[2] = {upper, mixed ^ mixed >> 32 ^ 1};
		struct prefix address = {.ip.family = AF_INET6, .len = 128};
		char bytes[PREFIX_TEXT_SIZE];
		memcpy(address.ip.bytes, words, sizeof(words));
		world_addr(evil->ns, ifindex, prefix_format(&address, bytes), 0);
	}
}

static void macs_alike(struct evil *evil)
{
	for (size_t i = 0; i < evil->count; i++)
		macvlan_add(evil, i)->mac =
			(struct mac){.bytes = {2, 0x42, 172, 16, 0, 2}, .set = true};
}

static struct evil evil_new(size_t count, const struct desired *desired)
{
	struct live *live = world_new();
	world_containers(live, desired);
	const struct plan *plan = plan_make(desired, live, &open);
	world_apply(live, plan);
	plan_free(plan);
	struct live_ns *ns = world_ns(live, "db");
	return (struct evil){.live = live, .ns = ns, .own = ns->links[0].ifindex, .count = count};
}

static uint64_t plan_work(const struct desired *desired, const struct live *live,
			  const struct plan_options *options)
{
	blocks = 0;
	const struct plan *plan = plan_make(desired, live, options);
	const uint64_t work = blocks;
	plan_free(plan);
	return work;
}

static uint64_t stages_work(const struct desired *desired, const struct live *live)
{
	struct arena *arena = arena_new();
	const struct plan *plan = plan_make(desired, live, &open);
	const struct selection all = selection_all(plan, arena);
	blocks = 0;
	(void)stages_of(arena, &all, live);
	const uint64_t work = blocks;
	plan_free(plan);
	arena_free(arena);
	return work;
}

static uint64_t fingerprint_work(const struct desired *desired, const struct live *live)
{
	struct arena *arena = arena_new();
	const struct plan *plan = plan_make(desired, live, &open);
	blocks = 0;
	(void)fingerprint_make(desired, live, plan, "boot", arena);
	const uint64_t work = blocks;
	plan_free(plan);
	arena_free(arena);
	return work;
}

static uint64_t export_work(const struct live *live, const char *into)
{
	struct arena *arena = arena_new();
	const struct origin *origins = arena_alloc(arena, live->n_namespaces * sizeof(*origins));
	const struct set_names all = {0};
	blocks = 0;
	(void)export_live(live, origins, &all, into, arena);
	const uint64_t work = blocks;
	arena_free(arena);
	return work;
}

static bool key_has(const void *data, const char *key)
{
	return retry_keys_have(data, key);
}

/* After each step failed. */
static uint64_t retries_work(const struct desired *desired, const struct live *live)
{
	const struct plan *plan = plan_make(desired, live, &open);
	struct retry *retry = retry_new();
	char key[STEP_RETRY_KEY_SIZE];
	for (size_t i = 0; i < plan->n_steps; i++)
		retry_failed(retry, step_retry_key(&plan->steps[i], key), 1);
	blocks = 0;
	struct retry_keys *keys = retry_keys_find(plan, live);
	retry_keep(retry, key_has, keys, 1);
	retry_keys_free(keys);
	const uint64_t work = blocks;
	retry_free(retry);
	plan_free(plan);
	return work;
}

enum { PLAN, ADOPT, STAGES, FINGERPRINT, RETRIES, EXPORT, EXPORT_ADOPT, N_WORKS };

static const char *const work_names[] = {[PLAN] = "plan",
					 [ADOPT] = "plan --adopt",
					 [STAGES] = "stages",
					 [FINGERPRINT] = "fingerprint",
					 [RETRIES] = "retries",
					 [EXPORT] = "export",
					 [EXPORT_ADOPT] = "export --adopt"};

static void works_count(void (*multiply)(struct evil *), size_t count, uint64_t works[N_WORKS])
{
	struct desired *desired = desired_from(LAN);
	struct evil evil = evil_new(count, desired);
	multiply(&evil);
	for (size_t i = 0; i < evil.live->n_namespaces; i++)
		live_ns_index(evil.live->namespaces[i]);
	world_containers(evil.live, desired);
	works[PLAN] = plan_work(desired, evil.live, &open);
	works[ADOPT] = plan_work(desired, evil.live, &adopt);
	works[STAGES] = stages_work(desired, evil.live);
	works[FINGERPRINT] = fingerprint_work(desired, evil.live);
	works[RETRIES] = retries_work(desired, evil.live);
	works[EXPORT] = export_work(evil.live, NULL);
	works[EXPORT_ADOPT] = export_work(evil.live, "default");
	world_free(evil.live);
	desired_free(desired);
}

static const struct multiplier {
	const char *name;
	void (*multiply)(struct evil *);
} multipliers[] = {
	{"routes of ours", routes_of_ours},
	{"routes of its own", routes_of_its_own},
	{"default routes", default_routes},
	{"names", names},
	{"altnames", altnames},
	{"addresses of ours", addresses_of_ours},
	{"addresses of its own", addresses_of_its_own},
	{"claimed addresses", claims},
	{"marks alike", tags_alike},
	{"marks of many", tags_of_many},
	{"marks of others", tags_of_others},
	{"subnets of marks", subnets_of_tags},
	{"networks of marks", networks_of_tags},
	{"unmarked links", untagged},
	{"subnets of unmarked links", untagged_subnets},
	{"namespaces", namespaces},
	{"marks that collide", tags_that_collide},
	{"addresses that collide", addresses_that_collide},
	{"MACs alike", macs_alike},
};

enum { COUNT = sizeof(multipliers) / sizeof(multipliers[0]) };

static void grows(void **state)
{
	const struct multiplier *multiplier = *state;
	uint64_t few[N_WORKS], many[N_WORKS];
	bool good = true;
	works_count(multiplier->multiply, SMALL_COUNT, few);
	works_count(multiplier->multiply, MANY, many);
	for (size_t i = 0; i < N_WORKS; i++) {
		const bool in_proportion = many[i] <= few[i] * GROWTH_MAX;
		if (!in_proportion)
			print_error("%s: %llu blocks of code for %d, %llu for %d\n", work_names[i],
				    (unsigned long long)few[i], SMALL_COUNT,
				    (unsigned long long)many[i], MANY);
		good &= in_proportion;
	}
	assert_true(good);
}

/* A file of as many containers, each with a link of its own on eth0. `network`: the network of that
 * link; NULL: it is unmanaged. */
static uint64_t containers_work(size_t count, const char *network,
				const struct plan_options *options)
{
	struct live *live = world_new();
	char *yaml = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&yaml, &size);
	fputs("networks: {lan: {parent: eth0, subnet: 172.16.0.0/16}}\ncontainers:\n", out);
	for (size_t i = 0; i < count; i++) {
		char name[16];
		snprintf(name, sizeof(name), "c%zu", i);
		struct evil evil = {.live = live, .ns = world_ns(live, name)};
		fprintf(out, "  %s: {networks: [lan]}\n", name);
		struct live_link *link = macvlan_add(&evil, i);
		if (network)
			tag(&evil, link, text(&evil, "mvapply:attach:default/%s/c%zu", network, i));
	}
	fclose(out);
	struct desired *desired = desired_from(yaml);
	world_containers(live, desired);
	const uint64_t work = plan_work(desired, live, options);
	desired_free(desired);
	free(yaml);
	world_free(live);
	return work;
}

static void adopts(void **state)
{
	(void)state;
	assert_between(containers_work(MANY, NULL, &adopt), 1,
		       containers_work(SMALL_COUNT, NULL, &adopt) * GROWTH_MAX);
}

/* Each link is replaced by one of the network's new name. */
static void network_renamed(void **state)
{
	(void)state;
	assert_between(containers_work(MANY, "old", &open), 1,
		       containers_work(SMALL_COUNT, "old", &open) * GROWTH_MAX);
}

int main(void)
{
	struct CMUnitTest tests[COUNT + 2] = {[COUNT] = cmocka_unit_test(adopts),
					      [COUNT + 1] = cmocka_unit_test(network_renamed)};
	for (size_t i = 0; i < COUNT; i++)
		tests[i] = (struct CMUnitTest){
			.name = multipliers[i].name,
			.test_func = grows,
			.initial_state = (void *)(uintptr_t)&multipliers[i],
		};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
