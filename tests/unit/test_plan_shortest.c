/* Random pairs of live and desired states, up to six links each: the plan reaches the desired state
 * in a model of the kernel (world.c, which refuses what the kernel refuses), a second plan is
 * empty, unmanaged objects are unchanged bit by bit, and no plan is longer than the shortest that a
 * search through all others finds. SOAK=1 tries a million of them. */
#include "tests/unit/random.h"
#include "tests/unit/world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define PAIRS      20000
#define PAIRS_SOAK 1000000
#define LINKS_MAX  6

static const char *const containers[] = {"web", "db", "ci"};
static const char *const link_names[] = {"eth0", "eth1", "lan0"};

/* --- live state */

static bool mac_free(const struct live *live, int parent, uint8_t number)
{
	for (size_t i = 0; i < live->n_namespaces; i++)
		for (size_t k = 0; k < live->namespaces[i]->n_links; k++)
			if (live->namespaces[i]->links[k].parent == parent &&
			    live->namespaces[i]->links[k].mac.bytes[5] == number)
				return false;
	return true;
}

static bool alias_free(const struct live *live, const char *alias)
{
	for (size_t i = 0; i < live->n_namespaces; i++)
		for (size_t k = 0; k < live->namespaces[i]->n_links; k++)
			if (*alias && strcmp(live->namespaces[i]->links[k].alias, alias) == 0)
				return false;
	return true;
}

/* A managed or unmanaged macvlan, anywhere, in a random state. */
static void random_link(struct live *live)
{
	const char *container = containers[random_below(3)];
	struct live_ns *ns =
		world_ns(live, random_below(6) ? container : containers[random_below(3)]);
	const char *name = link_names[random_below(3)];
	char alias[64] = "", address[32];
	unsigned network = random_below(2), host = 2 + random_below(5),
		 net = random_below(6) ? network : random_below(2);
	int parent = 2 + (int)(random_below(6) ? 0 : network);
	uint8_t mac = (uint8_t)(1 + random_below(LINKS_MAX));
	if (random_below(10))
		snprintf(alias, sizeof(alias), "mvapply:attach:default/%c/%s", "ab"[network],
			 container);
	if (live_link_by_name(ns, name) || !mac_free(live, parent, mac) || !alias_free(live, alias))
		return;
	struct live_link *link = world_link(ns, name, KIND_MACVLAN);
	link->alias = arena_strdup(ns->arena, alias);
	link->tag = owner_tag_parse(ns->arena, link->alias);
	link->parent = parent;
	link->parent_where = PARENT_HOST;
	link->mac = (struct mac){.bytes = {2, 0, 0, 0, 0, mac}, .set = true};
	link->mtu = random_below(2) ? 1500 : 1400;
	link->mode = random_below(3) ? MODE_BRIDGE : MODE_PRIVATE;
	link->mode_known = link->has_bcqueuelen = true;
	link->bcqueuelen = random_below(4) ? 1000 : 50;
	link->flags = random_below(6) ? link->flags : 0;
	snprintf(address, sizeof(address), "10.%u.0.%u/24", net, host);
	if (random_below(4))
		world_addr(ns, link->ifindex, address, random_below(6) ? OWNER_TAG_PROTOCOL : 0);
}

static struct live *random_live(void)
{
	struct live *live = world_new();
	for (unsigned i = random_below(2 * LINKS_MAX); i > 0; i--) /* not all of them fit */
		random_link(live);
	return live;
}

/* --- desired state */

static void put_network(FILE *out, unsigned number)
{
	static const char *const extras[] = {"", "", ", mtu: 1400", ", mode: private",
					     ", gateway: 10.@.0.1"};
	const char *extra = extras[random_below(5)], *at = strchr(extra, '@');
	fprintf(out, "  %c: {parent: eth%u, subnet: 10.%u.0.0/24", "ab"[number],
		random_below(6) ? 0 : number, number);
	if (at)
		fprintf(out, "%.*s%u%s", (int)(at - extra), extra, number, at + 1);
	else
		fputs(extra, out);
	fputs("}\n", out);
}

static void put_attachment(FILE *out, char network)
{
	fprintf(out, "      %c: {", network);
	if (random_below(3))
		fprintf(out, "interface_name: %s, ", link_names[random_below(3)]);
	fprintf(out, "mac_address: \"02:00:00:00:00:%02x\"}\n", 1 + random_below(LINKS_MAX));
}

static const char *pair_yaml(void)
{
	static char text[4096];
	FILE *out = fmemopen(text, sizeof(text), "w");
	fputs("networks:\n", out);
	put_network(out, 0);
	put_network(out, 1);
	fputs("containers:\n", out);
	for (unsigned i = 0; i < 3; i++) {
		unsigned which = 1 + random_below(3);
		fprintf(out, "  %s:\n    networks:\n", containers[i]);
		for (unsigned k = 0; k < 2; k++)
			if (which & 1u << k)
				put_attachment(out, "ab"[k]);
	}
	fputc('\0', out);
	fclose(out);
	return text;
}

/* --- the shortest plan */

/* A name or MAC that must change from one value to another, both among those of one scope (a
 * namespace's names, a parent's MACs). */
struct move {
	size_t step;
	enum field field;
	const void *scope;
	const char *from, *to;
};

/* Links are changed one after the other, each in one step, except that some first get a temporary
 * name or MAC: these make a plan longer. */
struct search {
	struct move moves[2 * LINKS_MAX];
	size_t n_moves;
	unsigned temporaries; /* one bit for each move */
};

/* Whether the value of the move is free. */
static bool target_free(const struct search *search, const struct move *move, unsigned given_up,
			unsigned done)
{
	for (size_t i = 0; i < search->n_moves; i++) {
		const struct move *other = &search->moves[i];
		if (other != move && other->field == move->field && other->scope == move->scope &&
		    !(given_up & 1u << i) && !(done & 1u << other->step) &&
		    strcmp(other->from, move->to) == 0)
			return false;
	}
	return true;
}

static bool step_possible(const struct search *search, size_t step, unsigned given_up,
			  unsigned done)
{
	for (size_t i = 0; i < search->n_moves; i++)
		if (search->moves[i].step == step &&
		    !target_free(search, &search->moves[i], given_up, done))
			return false;
	return true;
}

/* Whether there is an order in which all moves are possible after these temporary ones. A possible
 * step stays possible, and takes nothing that another waits for: any order of possible steps is as
 * good as another. */
static bool order_exists(const struct search *search, unsigned given_up)
{
	unsigned done = 0;
	for (size_t round = 0; round < search->n_moves; round++)
		for (size_t i = 0; i < search->n_moves; i++)
			if (step_possible(search, search->moves[i].step, given_up, done))
				done |= 1u << search->moves[i].step;
	for (size_t i = 0; i < search->n_moves; i++)
		if (!(done & 1u << search->moves[i].step))
			return false;
	return true;
}

/* Tries all sets of them. */
static int fewest_temporaries(const struct search *search)
{
	int fewest = 2 * LINKS_MAX;
	for (unsigned set = 0; set < 1u << search->n_moves; set++)
		if (__builtin_popcount(set) < fewest && order_exists(search, set))
			fewest = __builtin_popcount(set);
	return fewest;
}

static void move_add(struct search *search, const struct plan *plan, size_t number,
		     const struct change *change)
{
	const struct step *step = &plan->steps[number];
	const bool name = change->field == FIELD_NAME;
	assert_true(search->n_moves < 2 * LINKS_MAX && number < 32);
	if (name ? step->temporary.name : step->temporary.mac)
		search->temporaries |= 1u << search->n_moves;
	search->moves[search->n_moves++] =
		(struct move){.step = number,
			      .field = change->field,
			      .scope = name ? (const void *)step->ns
					    : (const void *)(intptr_t)step->current->parent,
			      .from = change->from,
			      .to = change->to};
}

static void search_begin(const struct plan *plan, struct search *search)
{
	*search = (struct search){0};
	for (size_t i = 0; i < plan->n_steps; i++) {
		const struct step *step = &plan->steps[i];
		for (size_t k = 0; step->action == ACTION_CHANGE && k < step->n_changes; k++)
			if (step->changes[k].field == FIELD_NAME ||
			    step->changes[k].field == FIELD_MAC)
				move_add(search, plan, i, &step->changes[k]);
	}
}

/* A link is deleted and created again only for changes that the kernel does not support in
 * place. */
static bool needlessly_replaced(const struct step *step)
{
	return step->action == ACTION_REPLACE && step->ns == step->desired->ns &&
	       step->current->kind == step->desired->kind &&
	       step->current->parent == step->desired->parent;
}

static bool changes_nothing(const struct change *change)
{
	return change->from && change->to && strcmp(change->from, change->to) == 0 &&
	       change->field != FIELD_ROUTE;
}

/* Steps of the plan that could be left out. */
static const char *longer_than_needed(const struct plan *plan)
{
	struct search search;
	for (size_t i = 0; i < plan->n_steps; i++) {
		const struct step *step = &plan->steps[i];
		if (needlessly_replaced(step))
			return "a link is replaced that could be changed";
		for (size_t k = 0; k < step->n_changes; k++)
			if (changes_nothing(&step->changes[k]))
				return "a change changes nothing";
	}
	search_begin(plan, &search);
	int temporaries = __builtin_popcount(search.temporaries);
	return temporaries && temporaries > fewest_temporaries(&search)
		       ? "a temporary value is needless"
		       : NULL;
}

/* --- unmanaged objects */

struct unmanaged {
	char text[4096];
	size_t used;
};

static void unmanaged_put(struct unmanaged *unmanaged, const struct live_ns *ns,
			  const struct live_link *link)
{
	unmanaged->used += (size_t)snprintf(
		unmanaged->text + unmanaged->used, sizeof(unmanaged->text) - unmanaged->used,
		"%s %s %d mac %d mtu %u mode %d up %d len %u;", ns->name, link->name, link->ifindex,
		link->mac.bytes[5], link->mtu, (int)link->mode, link->flags & IFF_UP,
		link->bcqueuelen);
	for (size_t i = 0; i < ns->n_addrs; i++)
		if (ns->addrs[i].ifindex == link->ifindex)
			unmanaged->used +=
				(size_t)snprintf(unmanaged->text + unmanaged->used,
						 sizeof(unmanaged->text) - unmanaged->used,
						 "address %d;", ns->addrs[i].prefix.ip.bytes[3]);
	assert_true(unmanaged->used < sizeof(unmanaged->text));
}

static void unmanaged_of(const struct live *live, struct unmanaged *ret)
{
	*ret = (struct unmanaged){0};
	for (size_t i = 0; i < live->n_namespaces; i++)
		for (int ifindex = 1; ifindex < 20; ifindex++) {
			const struct live_link *link =
				live_link_by_index(live->namespaces[i], ifindex);
			if (link && !*link->alias)
				unmanaged_put(ret, live->namespaces[i], link);
		}
}

/* --- pairs */

struct tally {
	size_t planned, blocked, moved, temporaries;
};

static void plan_check(const struct plan *plan, const char *yaml, struct tally *tally)
{
	struct search search;
	const char *wrong = longer_than_needed(plan);
	if (wrong)
		fail_msg("%s\n%s: %s", yaml, wrong, plan_text(plan));
	search_begin(plan, &search);
	tally->moved += search.n_moves > 0;
	tally->temporaries += search.temporaries != 0;
}

static void pair_try(struct live *live, const struct desired *desired, const char *yaml,
		     struct tally *tally)
{
	const struct plan_options options = {.unguarded = true};
	struct unmanaged before, after;
	world_containers(live, desired);
	const struct plan *plan = plan_make(desired, live, &options);
	bool refused = plan_count(plan, ACTION_REFUSED) > 0;
	tally->blocked += plan_count(plan, ACTION_BLOCKED) > 0;
	if (!refused) {
		tally->planned++;
		plan_check(plan, yaml, tally);
		unmanaged_of(live, &before);
		world_apply(live, plan);
		unmanaged_of(live, &after);
		assert_string_equal(after.text, before.text);
		const struct plan *again = plan_make(desired, live, &options);
		if (!plan_empty(again))
			fail_msg("%s\n%s\nleft: %s", yaml, plan_text(plan), plan_text(again));
		plan_free(again);
	}
	plan_free(plan);
}

static void test_random_pairs(void **state)
{
	(void)state;
	struct tally tally = {0};
	size_t pairs = getenv("SOAK") ? PAIRS_SOAK : PAIRS, valid = 0;
	for (unsigned seed = 1; valid < pairs; seed++) {
		random_seed(seed);
		const char *yaml = pair_yaml();
		struct desired *desired = desired_try(yaml);
		if (!desired)
			continue;
		struct live *live = random_live();
		pair_try(live, desired, yaml, &tally);
		world_free(live);
		desired_free(desired);
		valid++;
	}
	print_message("%zu pairs: %zu planned, %zu blocked, %zu with names or MACs that move, %zu "
		      "with temporary values\n",
		      valid, tally.planned, tally.blocked, tally.moved, tally.temporaries);
	assert_true(tally.planned > pairs / 4 && tally.blocked > pairs / 100);
	assert_true(tally.moved > pairs / 10 && tally.temporaries > pairs / 1000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_random_pairs)};
	return cmocka_run_group_tests_name("plan_shortest", tests, NULL, NULL);
}
