/* One set of files for 10000 hosts, each of which applies any version of it in any order: no
 * address and no MAC is ever used by two hosts, or twice on one, and a second plan is empty. */
#include "tests/unit/world.h"

#include "lib/hashmap.h"
#include "schema/load.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#ifdef __SANITIZE_ADDRESS__
#define HOSTS 1000 /* the first of them are sufficient for a sanitizer */
#else
#define HOSTS 10000
#endif
#define VERSIONS 3
#define LITERALS 400
#define SEEDS    2
#define STEPS    3 /* maximum of versions that a host applies */

static unsigned random_state;

/* Numerical Recipes' generator: the same everywhere. */
static unsigned below(unsigned limit)
{
	random_state = random_state * 1664525U + 1013904223U;
	return (random_state >> 16) % limit;
}

static void put_networks(FILE *out)
{
	fputs("networks:\n"
	      "  lan:\n    parent: eth0\n    hosts: [\"h*\"]\n    host: true\n"
	      "    subnet: 10.0.0.0/8\n    gateway: 10.0.0.1\n    ip_range:\n",
	      out);
	for (unsigned i = 0; i < HOSTS; i++)
		fprintf(out, "      h%u: 10.%u.%u.0/22\n", i, 1 + i / 64, i % 64 * 4);
	fputs("  six:\n    parent: eth1\n    subnets:\n    - subnet: \"fd00:86::/32\"\n"
	      "      ip_range:\n",
	      out);
	for (unsigned i = 0; i < HOSTS; i++)
		fprintf(out, "        h%u: \"fd00:86:%x::/48\"\n", i, i);
}

/* On many hosts each, some of them in some versions only. */
static void put_everywhere(FILE *out)
{
	static const char *const globs[] = {"h*",   "h*",  "h*",      "h*",  "h*[02468]",
					    "h?*1", "h1*", "h[3-5]*", "h??", "h*77"};
	static const char *const networks[] = {"lan", "six", "lan, six", "six, lan"};
	for (unsigned i = 0; i < sizeof(globs) / sizeof(*globs); i++)
		if (i == 0 || below(3))
			fprintf(out, "  all%u: {hosts: [\"%s\"], networks: [%s]}\n", i, globs[i],
				networks[i ? below(4) : 2]);
}

/* On one host each, in every version. */
static void put_literals(FILE *out)
{
	for (unsigned i = 0; i < LITERALS; i++) {
		unsigned host = i * 7919 % HOSTS;
		if (below(4) == 0)
			continue;
		fprintf(out, "  one%u: {hosts: [h%u], networks: {lan: {", i, host);
		if (i % 3 == 0)
			fprintf(out, "ipv4_address: 10.%u.%u.%u", 1 + host / 64, host % 64 * 4,
				2 + below(6));
		else if (i % 3 == 1)
			fprintf(out, "ipv4_address: 10.250.%u.%u", i / 250, 1 + i % 250);
		fputs("}}}\n", out);
	}
}

static struct desired *version_new(unsigned seed)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);
	random_state = seed;
	put_networks(out);
	fputs("containers:\n", out);
	put_everywhere(out);
	put_literals(out);
	fclose(out);
	struct desired *desired = desired_from(text);
	free(text);
	return desired;
}

/* The holder of an address or MAC: a host's number, and the round of the assignment. */
struct holder {
	unsigned host, round;
};

struct ledger {
	struct arena *arena;
	struct index *index;
	unsigned round;
	size_t holder_of;
};

static void hold(struct ledger *ledger, const void *bytes, size_t size, unsigned host)
{
	struct holder *holder = index_get(ledger->index, bytes, size);
	if (holder && (holder->host != host || holder->round == ledger->round))
		fail_msg("h%u has what h%u has", host, holder->host);
	if (!holder) {
		void *key = arena_alloc(ledger->arena, size);
		memcpy(key, bytes, size);
		holder = arena_alloc(ledger->arena, sizeof(*holder));
		index_put(ledger->index, key, size, holder);
		ledger->holder_of++;
	}
	*holder = (struct holder){host, ledger->round};
}

static void hold_all(struct ledger *ledger, const struct live *live, unsigned host)
{
	ledger->round++;
	for (size_t i = 0; i < live->n_namespaces; i++) {
		const struct live_ns *ns = live->namespaces[i];
		for (size_t k = 0; k < ns->n_links; k++)
			if (ns->links[k].tag.role != ROLE_NONE)
				hold(ledger, ns->links[k].mac.bytes, sizeof(ns->links[k].mac.bytes),
				     host);
		for (size_t k = 0; k < ns->n_addrs; k++)
			hold(ledger, &ns->addrs[k].prefix.ip, sizeof(ns->addrs[k].prefix.ip), host);
	}
}

static void namespaces_make(struct live *live, const struct desired *desired)
{
	for (size_t i = 0; i < desired->sets[0].n_containers; i++)
		world_ns(live, desired->sets[0].containers[i].source);
	world_containers(live, desired);
}

static void apply_until_done(struct ledger *ledger, struct live *live, const struct desired *all,
			     unsigned host)
{
	char name[16];
	snprintf(name, sizeof(name), "h%u", host);
	struct arena *arena = arena_new();
	const struct desired *desired = desired_for_host(all, name, arena);
	const struct plan_options options = {.unguarded = true};
	namespaces_make(live, desired);
	const struct plan *plan = plan_make(desired, live, &options);
	assert_int_equal(plan_count(plan, ACTION_BLOCKED) + plan_count(plan, ACTION_REFUSED) +
				 plan_count(plan, ACTION_PENDING),
			 0);
	world_apply(live, plan);
	const struct plan *again = plan_make(desired, live, &options);
	if (!plan_empty(again))
		fail_msg("%s: left: %s", name, plan_text(again));
	plan_free(again);
	plan_free(plan);
	arena_free(arena);
	hold_all(ledger, live, host);
}

/* An address or MAC that one host had is never used by another one: so the order of hosts does not
 * matter. */
static void roll_out(unsigned seed)
{
	struct ledger ledger = {.arena = arena_new(), .index = index_new((size_t)HOSTS * 16)};
	struct desired *versions[VERSIONS];
	for (unsigned i = 0; i < VERSIONS; i++)
		versions[i] = version_new(seed * VERSIONS + i);
	random_state = seed;
	for (unsigned host = 0; host < HOSTS; host++) {
		struct live *live = world_new();
		for (unsigned step = below(STEPS); step < STEPS; step++)
			apply_until_done(&ledger, live, versions[below(VERSIONS)], host);
		world_free(live);
	}
	print_message("%d hosts: %zu addresses and MACs\n", HOSTS, ledger.holder_of);
	assert_true(ledger.holder_of > (size_t)HOSTS * 8);
	for (unsigned i = 0; i < VERSIONS; i++)
		desired_free(versions[i]);
	index_free(ledger.index);
	arena_free(ledger.arena);
}

static void test_any_order(void **state)
{
	(void)state;
	for (unsigned seed = 1; seed <= SEEDS; seed++)
		roll_out(seed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_any_order)};
	return cmocka_run_group_tests_name("multi_host_plan", tests, NULL, NULL);
}
