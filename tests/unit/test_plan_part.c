/* Random changes in one container's namespace after a plan left nothing to do there: the plan of
 * this part has the steps that the plan of everything has in the namespace. */
#include "reconcile/plan/part.h"
#include "tests/unit/random.h"
#include "tests/unit/world.h"

#include <net/if.h>
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

static void (*const changes[])(struct live_ns *) = {address_take, route_take, link_change,
						    address_add};

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
		change = random_below(4);
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
		stood += drifts_compare(random_yaml());
	}
	print_message("%u plans of a part\n", stood);
	assert_true(stood > 500);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_random_drift)};
	return cmocka_run_group_tests_name("plan_part", tests, NULL, NULL);
}
