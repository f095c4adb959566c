/* Random changes in one container's namespace after a plan left nothing to do there: the plan of
 * this part has the steps that the plan of everything has in the namespace. */
#include "reconcile/plan/part.h"
#include "tests/unit/random.h"
#include "tests/unit/world.h"

#include <net/if.h>
#include <net/if_arp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define SEQUENCES 4000
#define DRIFTS    24

static const char *const names[] = {"web", "db", "ci"};

/* Removes one of the items; the last one takes its place. */
static void item_take(void *items, unsigned *count, size_t size)
{
	if (!*count)
		return;
	char *item = (char *)items + random_below(*count) * size;
	memmove(item, (char *)items + --*count * size, size);
}

static void address_take(struct live_ns *ns)
{
	item_take(ns->addrs, &ns->n_addrs, sizeof(*ns->addrs));
	live_ns_index(ns);
}

static void route_take(struct live_ns *ns)
{
	item_take(ns->routes, &ns->n_routes, sizeof(*ns->routes));
	live_ns_index(ns);
}

static void link_change(struct live_ns *ns)
{
	if (!ns->n_links)
		return;
	struct live_link *link = &ns->links[random_below((unsigned)ns->n_links)];
	if (random_below(2))
		link->mtu -= 8;
	else
		link->flags ^= IFF_UP;
}

static void address_add(struct live_ns *ns)
{
	char text[32];
	if (!ns->n_links)
		return;
	snprintf(text, sizeof(text), "10.0.0.%u/24", 1 + random_below(30));
	world_addr(ns, ns->links[random_below((unsigned)ns->n_links)].ifindex, text, 0);
	live_ns_index(ns);
}

/* With its addresses and routes, as the kernel does. */
static void link_remove(struct live_ns *ns, size_t at)
{
	const int ifindex = ns->links[at].ifindex;
	ns->links[at] = ns->links[--ns->n_links];
	for (unsigned i = ns->n_addrs; i-- > 0;)
		if (ns->addrs[i].ifindex == ifindex)
			ns->addrs[i] = ns->addrs[--ns->n_addrs];
	for (unsigned i = ns->n_routes; i-- > 0;)
		if (ns->routes[i].ifindex == ifindex)
			ns->routes[i] = ns->routes[--ns->n_routes];
	live_ns_index(ns);
}

static void link_take(struct live_ns *ns)
{
	if (ns->n_links)
		link_remove(ns, random_below((unsigned)ns->n_links));
}

static void (*const changes[])(struct live_ns *) = {address_take, route_take, link_change,
						    link_take, address_add};

static void drift(struct live_ns *ns, unsigned first)
{
	changes[first](ns);
	if (random_below(2))
		changes[random_below(2)](ns);
}

static const char *text_in(const struct plan *plan, const struct live_ns *ns)
{
	struct plan part = *plan;
	struct step *steps = arena_alloc(plan->arena, (plan->n_steps + 1) * sizeof(*steps));
	part.n_steps = 0;
	for (size_t i = 0; i < plan->n_steps; i++)
		if (plan->steps[i].ns == ns)
			steps[part.n_steps++] = plan->steps[i];
	part.steps = steps;
	return plan_text(&part);
}

static const struct step *step_of(const struct plan *plan, const struct owner_tag *tag,
				  const struct live_ns *ns)
{
	for (size_t i = 0; i < plan->n_steps; i++)
		if (plan->steps[i].ns == ns && owner_tag_equal(plan->steps[i].tag, tag))
			return &plan->steps[i];
	return NULL;
}

/* Without shares_parent: no neighbour entry for a link that returns with its MAC is outdated. */
static void created_compare(const struct link_spec *spec, const struct link_spec *expected)
{
	assert_string_equal(spec->name, expected->name);
	assert_string_equal(spec->alias, expected->alias);
	assert_true(mac_equal(&spec->mac, &expected->mac));
	assert_int_equal(spec->parent, expected->parent);
	assert_int_equal(spec->mtu, expected->mtu);
	assert_int_equal(spec->n_addrs, expected->n_addrs);
	for (size_t i = 0; i < spec->n_addrs; i++)
		assert_true(prefix_equal(&spec->addrs[i], &expected->addrs[i]));
	assert_int_equal(spec->n_routes, expected->n_routes);
	for (size_t i = 0; i < spec->n_routes; i++)
		assert_true(prefix_equal(&spec->routes[i].to, &expected->routes[i].to));
	assert_int_equal(spec->n_sysctls, expected->n_sysctls);
}

/* The number of links that the part creates, as the plan of everything does. */
static unsigned creations_compare(const struct plan *part, const struct plan *all,
				  const struct live_ns *ns)
{
	unsigned created = 0;
	for (size_t i = 0; i < part->n_steps; i++) {
		const struct step *step = &part->steps[i];
		const struct step *expected = step_of(all, step->tag, ns);
		if (step->action != ACTION_CREATE)
			continue;
		assert_non_null(expected);
		created_compare(step->desired, expected->desired);
		created++;
	}
	return created;
}

static unsigned n_created;

/* Whether the part stood. */
static bool compare(const struct desired *desired, struct live *live, const struct live_ns *ns)
{
	struct arena *arena = arena_new();
	struct part part;
	bool stands = false;
	if (part_find(desired, live, ns, arena, &part)) {
		const struct plan *alone = plan_make(part.desired, part.live, &open_options);
		const struct plan *all = plan_make(desired, live, &open_options);
		stands = part_stands(alone, ns);
		if (stands)
			assert_string_equal(plan_text(alone), text_in(all, ns));
		n_created += stands ? creations_compare(alone, all, ns) : 0;
		plan_free(alone);
		plan_free(all);
	}
	arena_free(arena);
	return stands;
}

static bool has_steps(const struct desired *desired, const struct live *live,
		      const struct live_ns *ns)
{
	const struct plan *plan = plan_make(desired, live, &open_options);
	part_remember(plan, live);
	const bool has = text_in(plan, ns)[0];
	plan_free(plan);
	return has;
}

static unsigned drifts_compare(const char *yaml)
{
	struct live *live = world_new();
	struct desired *desired = desired_try(yaml);
	unsigned stood = 0, change = 0;
	/* The model's kernel refuses an address that a container took. */
	for (unsigned i = 0; desired && i < DRIFTS && changes[change] != address_add; i++) {
		struct live_ns *ns = world_ns(live, names[random_below(3)]);
		const struct plan *plan = world_plan(live, desired);
		if (!plan_count(plan, ACTION_REFUSED))
			world_apply(live, plan);
		plan_free(plan);
		if (has_steps(desired, live, ns))
			continue;
		change = random_below(5);
		drift(ns, change);
		stood += compare(desired, live, ns);
	}
	if (desired)
		desired_free(desired);
	world_free(live);
	return stood;
}

static void test_random_drift(void **state)
{
	unsigned stood = 0;
	(void)state;
	for (unsigned seed = 1; seed <= SEQUENCES; seed++) {
		random_seed(seed);
		stood += drifts_compare(seed % 2 ? random_yaml() : random_yaml_addresses());
	}
	print_message("%u plans of a part, %u links created\n", stood, n_created);
	assert_true(stood > 500);
	assert_true(n_created > 50);
}

static const char yaml[] = "networks:\n  n: {parent: eth0, subnet: 10.0.0.0/24}\n"
			   "containers:\n  web: {networks: {n: {ipv4_address: 10.0.0.2}}}\n";

/* Another program's link on eth0, which is down. */
static void stranger_add(struct live *live, const char *mac, const char *address)
{
	struct live_ns *ns = world_ns(live, "ci");
	struct live_link *link = world_link(ns, "stranger", KIND_MACVLAN);
	link->parent_where = PARENT_HOST;
	link->parent = 2;
	link->flags &= ~(unsigned)IFF_UP;
	assert_true(mac_parse(mac, &link->mac));
	if (address)
		world_addr(ns, link->ifindex, address, 0);
	live_ns_index(ns);
}

/* The kernel's addresses of a loopback link that is up. */
static void loopback_add(struct live *live, const char *name)
{
	struct live_ns *ns = world_ns(live, name);
	struct live_link *link = world_link(ns, "lo", KIND_OTHER);
	link->type = ARPHRD_LOOPBACK;
	link->flags |= IFF_LOOPBACK;
	link->mac = (struct mac){.set = true};
	world_addr(ns, link->ifindex, "127.0.0.1/8", 0);
	world_addr(ns, link->ifindex, "::1/128", 0);
	live_ns_index(ns);
}

/* Whether the part stands after web has lost its link. */
static bool stands_without_link(struct live *live)
{
	struct desired *desired = desired_from(yaml);
	struct live_ns *ns = world_ns(live, "web");
	plan_free(world_plan(live, desired));
	assert_false(has_steps(desired, live, ns));
	for (size_t i = ns->n_links; i-- > 0;)
		if (!(ns->links[i].flags & IFF_LOOPBACK))
			link_remove(ns, i);
	const bool stands = compare(desired, live, ns);
	desired_free(desired);
	world_free(live);
	return stands;
}

static void test_link_returns(void **state)
{
	struct live *live = world_new();
	(void)state;
	world_reach(live, yaml);
	assert_true(stands_without_link(live));
}

static void test_loopbacks_up(void **state)
{
	static const char *const up[] = {"the host", "web", "db"};
	struct live *live = world_new();
	(void)state;
	for (size_t i = 0; i < sizeof(up) / sizeof(*up); i++)
		loopback_add(live, up[i]);
	world_reach(live, yaml);
	assert_true(stands_without_link(live));
}

static void test_mac_of_another(void **state)
{
	struct live *live = world_new();
	(void)state;
	world_reach(live, yaml);
	stranger_add(live, "02:42:0a:00:00:02", NULL);
	assert_false(stands_without_link(live));
}

static void test_address_of_another(void **state)
{
	struct live *live = world_new();
	(void)state;
	world_reach(live, yaml);
	stranger_add(live, "02:00:00:00:00:09", "10.0.0.2/24");
	assert_false(stands_without_link(live));
}

/* The link has another MAC than the first choice, which the part would choose. */
static void test_mac_taken_before(void **state)
{
	struct live *live = world_new();
	(void)state;
	stranger_add(live, "02:42:0a:00:00:02", NULL);
	world_reach(live, yaml);
	assert_false(stands_without_link(live));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_random_drift),       cmocka_unit_test(test_link_returns),
		cmocka_unit_test(test_loopbacks_up),       cmocka_unit_test(test_mac_of_another),
		cmocka_unit_test(test_address_of_another), cmocka_unit_test(test_mac_taken_before)};
	return cmocka_run_group_tests_name("plan_part", tests, NULL, NULL);
}
