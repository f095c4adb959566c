#include "reconcile/plan/internal.h"

#include "lib/hash.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const struct plan_options plan_options_default = {
	.max_delete = {.limit = 50, .percent = true, .from = 10},
};

struct step *step_add(struct planner *planner, enum action action, const struct mark *mark)
{
	struct plan *plan = planner->plan;
	struct step *step = array_push(plan->arena, plan->steps, plan->n_steps);
	step->action = action;
	step->mark = *mark;
	step->set = mark->set;
	return step;
}

void step_converge(struct planner *planner, struct step step)
{
	step.action = ACTION_CREATE;
	if (step.have)
		step.action = compare(planner, &step) ? ACTION_CHANGE : ACTION_REPLACE;
	if (step.action == ACTION_CHANGE && step.n_changes == 0)
		return;
	*step_add(planner, step.action, &step.mark) = step;
}

void warning_add(struct planner *planner, const char *format, ...)
{
	char text[512];
	va_list args;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	struct plan *plan = planner->plan;
	*array_push(plan->arena, plan->warnings, plan->n_warnings) =
		arena_strdup(plan->arena, text);
}

static void targets_tell(struct planner *planner)
{
	for (size_t i = 0; i < planner->live->n_targets; i++)
		if (planner->live->targets[i].note)
			warning_add(planner, "%s", planner->live->targets[i].note);
}

static void elsewhere_tell(struct planner *planner)
{
	if (planner->desired->elsewhere)
		warning_add(
			planner,
			"no network of the files lives on this host, \"%s\": their `hosts` name "
			"others, and --host says which one it is",
			planner->desired->host);
}

static struct step slot_step(const struct slot *slot)
{
	return (struct step){.mark = slot->want->mark,
			     .set = slot->set->name,
			     .name = slot->name,
			     .container = slot->container,
			     .network = slot->network,
			     .ns = slot->kept ? slot->kept->ns : slot->ns,
			     .have = slot->kept ? slot->kept->link : slot->have,
			     .want = slot->want};
}

static void slot_plan(struct planner *planner, struct slot *slot)
{
	struct step step = slot_step(slot);
	if (slot->verdict.action == ACTION_CREATE) {
		step_converge(planner, step);
		const struct plan *plan = planner->plan;
		const struct step *last = plan->n_steps ? &plan->steps[plan->n_steps - 1] : NULL;
		if (slot->owned && last && last->have == slot->have)
			slot->owned->leaves = last->action == ACTION_REPLACE;
		return;
	}
	step.action = slot->verdict.action;
	step.code = slot->verdict.code;
	step.reason = slot->verdict.reason;
	step.asked = slot->target && slot->target->asked;
	step.hint = slot->verdict.hint;
	*step_add(planner, step.action, &step.mark) = step;
}

bool owned_orphan(const struct planner *planner, const struct owned *owned)
{
	const enum role role = owned->link->mark.role;
	return !owned->wanted && (role == ROLE_ATTACH || role == ROLE_HOST) &&
	       desired_set(planner, owned->link->mark.set);
}

static const char *kept_reason(struct planner *planner, const struct slot *replacement)
{
	static const char *const why[] = {[ACTION_PENDING] = "is pending",
					  [ACTION_BLOCKED] = "is blocked",
					  [ACTION_REFUSED] = "is refused"};
	const char *state = why[replacement->verdict.action];
	return replacement->container
		       ? arena_printf(planner->arena, "%s/%s, which replaces it, %s",
				      replacement->container->name, replacement->network->name,
				      state)
		       : arena_printf(planner->arena,
				      "the host's link on network %s, which replaces it, %s",
				      replacement->network->name, state);
}

/* Links of the desired sets that the desired state does not name; of those that others hang on see
 * parents_prune. */
static void orphans_plan(struct planner *planner)
{
	struct owned **orphans = NULL;
	size_t count = 0;
	for (size_t i = 0; i < planner->n_owned; i++)
		if (owned_orphan(planner, &planner->owned[i]))
			*array_push(planner->scratch, orphans, count) = &planner->owned[i];
	if (count)
		qsort(orphans, count, sizeof(struct owned *), owned_compare);
	for (size_t i = 0; i < count; i++) {
		struct owned *owned = orphans[i];
		const struct slot *replacement = owned->replacement;
		const bool kept = replacement && replacement->verdict.action != ACTION_CREATE;
		struct step *step =
			step_add(planner, kept ? ACTION_KEPT : ACTION_DELETE, &owned->link->mark);
		step->name = owned->link->name;
		step->ns = owned->ns;
		step->have = owned->link;
		step->reason = kept ? kept_reason(planner, replacement)
				    : deletion_reason(planner, owned, &step->stray);
		step->replacement = replacement && !kept ? replacement->want : NULL;
		owned->leaves = !kept;
	}
}

/* How many attachments of the set are live, or are to be deleted. A link that no slot asks for
 * counts once for each namespace, and a stray not at all: a container can make any number of them,
 * and must not be able to stop everybody's changes. */
static size_t guard_count(const struct planner *planner, const char *set, bool deleted)
{
	const struct live_ns *last = NULL;
	size_t count = 0;
	for (size_t i = 0; i < planner->n_owned; i++) {
		const struct owned *owned = &planner->owned[i];
		if (owned->link->mark.role != ROLE_ATTACH ||
		    strcmp(owned->link->mark.set, set) != 0 || owned->placement == PLACEMENT_STRAY)
			continue;
		const bool believed = owned->wanted && owned->placement == PLACEMENT_OWN;
		const bool first = believed || owned->ns != last;
		last = believed ? last : owned->ns;
		count += first && (!deleted || (owned->leaves && !owned->wanted));
	}
	return count;
}

static bool set_names(const struct set *set, const struct mark *mark)
{
	for (size_t i = 0; i < set->n_networks; i++)
		if (strcmp(set->networks[i].name, mark->network) == 0)
			return true;
	for (size_t i = 0; i < set->n_containers; i++)
		if (strcmp(set->containers[i].name, mark->container) == 0)
			return true;
	return false;
}

/* Whether the set names a network, a container or the namespace of any of its live attachments. */
static bool set_known(const struct planner *planner, const struct set *set)
{
	for (size_t i = 0; i < planner->n_owned; i++) {
		const struct owned *owned = &planner->owned[i];
		const struct mark *mark = &owned->link->mark;
		if (mark->role != ROLE_ATTACH || strcmp(mark->set, set->name) != 0)
			continue;
		if (is_home(planner, owned->ns) ||
		    (owned->placement != PLACEMENT_STRAY && set_names(set, mark)))
			return true;
	}
	return false;
}

/* An empty set counts from its first attachment on, as does one that names nothing of what is live:
 * more often than not it is a mistake. */
static bool guard_refuses(const struct plan_options *options, bool all, size_t live, size_t deletes)
{
	if (options->unguarded || deletes == 0 || (live < options->max_delete.from && !all))
		return false;
	return options->max_delete.percent ? deletes * 100 > live * options->max_delete.limit
					   : deletes > options->max_delete.limit;
}

static void guard(struct planner *planner)
{
	for (size_t i = 0; i < planner->desired->n_sets; i++) {
		const struct set *set = &planner->desired->sets[i];
		size_t live = guard_count(planner, set->name, false);
		size_t deletes = guard_count(planner, set->name, true);
		const bool empty = !set->n_networks && !set->n_containers;
		const bool strange =
			!empty && deletes && deletes == live && !set_known(planner, set);
		if (!planner->plan->guard.refused &&
		    guard_refuses(planner->options, empty || strange, live, deletes))
			planner->plan->guard = (struct guard){.refused = true,
							      .strange = strange,
							      .set = set->name,
							      .live = live,
							      .deletes = deletes};
	}
}

struct plan *plan_make(const struct desired *desired, const struct live *live,
		       const struct plan_options *options)
{
	struct arena *arena = arena_new();
	struct plan *plan = arena_alloc(arena, sizeof(*plan));
	plan->arena = arena;
	struct planner planner = {.arena = arena,
				  .scratch = arena_new(),
				  .desired = desired,
				  .live = live,
				  .options = options,
				  .plan = plan};
	placements_index(&planner);
	owned_index(&planner);
	nets_resolve(&planner);
	slots_make(&planner);
	tenants_find(&planner);
	foreign_index(&planner);
	claims_index(&planner);
	addresses_choose(&planner);
	names_choose(&planner);
	macs_choose(&planner);
	wants_make(&planner);
	replacements_find(&planner);
	conflicts_find(&planner);
	wants_host_routes(&planner);
	orphans_plan(&planner);
	elsewhere_tell(&planner);
	targets_tell(&planner);
	nets_tell(&planner);
	claims_tell(&planner);
	for (size_t i = 0; i < planner.n_slots; i++)
		slot_plan(&planner, &planner.slots[i]);
	parents_plan(&planner);
	steps_order(&planner);
	replacements_number(plan);
	guard(&planner);
	arena_free(planner.scratch);
	return plan;
}

struct link_route link_route_of(const struct live_route *live)
{
	return (struct link_route){.to = live->to,
				   .via = live->via,
				   .source = live->source,
				   .protocol = live->proto,
				   .metric = live->metric};
}

struct addr_terms link_spec_addr_terms(const struct link_spec *spec, const struct prefix *addr)
{
	for (size_t i = 0; spec->addr_terms && i < spec->n_addrs; i++)
		if (prefix_equal(&spec->addrs[i], addr))
			return spec->addr_terms[i];
	return (struct addr_terms){.protocol = MARK_PROTOCOL};
}

void plan_free(struct plan *plan)
{
	if (plan)
		arena_free(plan->arena);
}

const char *step_detour_name(const struct step *step, char name[IFNAMSIZ])
{
	snprintf(name, IFNAMSIZ, TEMPORARY_PREFIX "%08x", (unsigned)step->have->ifindex);
	return name;
}

struct mac step_detour_mac(const struct step *step)
{
	uint64_t hash = hash_text(HASH_START, step->want->alias);
	struct mac mac = {.bytes = {0x0a}, .set = true};
	memcpy(mac.bytes + 1, &hash, sizeof(mac.bytes) - 1);
	return mac;
}

bool step_is_parent(const struct step *step)
{
	return step->mark.role == ROLE_VLAN || step->mark.role == ROLE_DUMMY;
}

bool step_acts(const struct step *step)
{
	switch (step->action) {
	case ACTION_CREATE:
	case ACTION_CHANGE:
	case ACTION_REPLACE:
	case ACTION_DELETE:
		return !step->held;
	case ACTION_KEPT:
	case ACTION_PENDING:
	case ACTION_BLOCKED:
	case ACTION_REFUSED:
		break;
	}
	return false;
}

size_t plan_count(const struct plan *plan, enum action action)
{
	size_t count = 0;
	for (size_t i = 0; i < plan->n_steps; i++)
		count += plan->steps[i].action == action;
	return count;
}

bool plan_empty(const struct plan *plan)
{
	for (size_t i = 0; i < plan->n_steps; i++)
		if (step_acts(&plan->steps[i]))
			return false;
	return true;
}
