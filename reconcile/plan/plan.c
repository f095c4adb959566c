#include "reconcile/plan/internal.h"

#include "lib/hash.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const struct plan_options plan_options_default = {
	.max_delete = {.limit = 50, .percent = true, .from = 10},
};

struct step *step_add(struct planner *planner, enum action action, const struct owner_tag *mark)
{
	struct plan *plan = planner->plan;
	struct step *step = array_push(plan->arena, plan->steps, plan->n_steps);
	step->action = action;
	step->mark = *mark;
	step->set = mark->set;
	return step;
}

void step_diff(struct planner *planner, struct step step)
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

static struct step planned_step(const struct planned_attachment *planned)
{
	return (struct step){.mark = planned->want->mark,
			     .set = planned->set->name,
			     .name = planned->name,
			     .container = planned->container,
			     .network = planned->network,
			     .ns = planned->kept ? planned->kept->ns : planned->ns,
			     .have = planned->kept ? planned->kept->link : planned->have,
			     .want = planned->want};
}

static void planned_plan(struct planner *planner, struct planned_attachment *planned)
{
	struct step step = planned_step(planned);
	if (planned->check_result.action == ACTION_CREATE) {
		step_diff(planner, step);
		const struct plan *plan = planner->plan;
		const struct step *last = plan->n_steps ? &plan->steps[plan->n_steps - 1] : NULL;
		if (planned->managed && last && last->have == planned->have)
			planned->managed->leaves = last->action == ACTION_REPLACE;
		return;
	}
	step.action = planned->check_result.action;
	step.code = planned->check_result.code;
	step.reason = planned->check_result.reason;
	step.asked = planned->target && planned->target->asked;
	step.hint = planned->check_result.hint;
	*step_add(planner, step.action, &step.mark) = step;
}

bool managed_stale(const struct planner *planner, const struct managed_link *managed)
{
	const enum role role = managed->link->mark.role;
	return !managed->wanted && (role == ROLE_ATTACH || role == ROLE_HOST) &&
	       desired_set(planner, managed->link->mark.set);
}

static const char *kept_reason(struct planner *planner,
			       const struct planned_attachment *replacement)
{
	static const char *const why[] = {[ACTION_PENDING] = "is pending",
					  [ACTION_BLOCKED] = "is blocked",
					  [ACTION_REFUSED] = "is refused"};
	const char *state = why[replacement->check_result.action];
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
static void stale_links_plan(struct planner *planner)
{
	struct managed_link **stale_links = NULL;
	size_t count = 0;
	for (size_t i = 0; i < planner->n_managed; i++)
		if (managed_stale(planner, &planner->managed[i]))
			*array_push(planner->scratch, stale_links, count) = &planner->managed[i];
	if (count)
		qsort(stale_links, count, sizeof(struct managed_link *), managed_compare);
	for (size_t i = 0; i < count; i++) {
		struct managed_link *managed = stale_links[i];
		const struct planned_attachment *replacement = managed->replacement;
		const bool kept = replacement && replacement->check_result.action != ACTION_CREATE;
		struct step *step =
			step_add(planner, kept ? ACTION_KEPT : ACTION_DELETE, &managed->link->mark);
		step->name = managed->link->name;
		step->ns = managed->ns;
		step->have = managed->link;
		step->reason = kept ? kept_reason(planner, replacement)
				    : deletion_reason(planner, managed, &step->stray);
		step->replacement = replacement && !kept ? replacement->want : NULL;
		managed->leaves = !kept;
	}
}

/* How many attachments of the set are live, or are to be deleted. A link that no slot asks for
 * counts once for each namespace, and a stray not at all: a container can make any number of them,
 * and must not be able to stop everybody's changes. */
static size_t guard_count(const struct planner *planner, const char *set, bool deleted)
{
	const struct live_ns *last = NULL;
	size_t count = 0;
	for (size_t i = 0; i < planner->n_managed; i++) {
		const struct managed_link *managed = &planner->managed[i];
		if (managed->link->mark.role != ROLE_ATTACH ||
		    strcmp(managed->link->mark.set, set) != 0 ||
		    managed->placement == PLACEMENT_STRAY)
			continue;
		const bool believed = managed->wanted && managed->placement == PLACEMENT_OWN;
		const bool first = believed || managed->ns != last;
		last = believed ? last : managed->ns;
		count += first && (!deleted || (managed->leaves && !managed->wanted));
	}
	return count;
}

static bool set_names(const struct set *set, const struct owner_tag *mark)
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
	for (size_t i = 0; i < planner->n_managed; i++) {
		const struct managed_link *managed = &planner->managed[i];
		const struct owner_tag *mark = &managed->link->mark;
		if (mark->role != ROLE_ATTACH || strcmp(mark->set, set->name) != 0)
			continue;
		if (is_home(planner, managed->ns) ||
		    (managed->placement != PLACEMENT_STRAY && set_names(set, mark)))
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
	managed_index(&planner);
	nets_resolve(&planner);
	attachments_match(&planner);
	netns_groups_find(&planner);
	unmanaged_index(&planner);
	claims_index(&planner);
	addresses_choose(&planner);
	names_choose(&planner);
	macs_choose(&planner);
	wants_make(&planner);
	replacements_find(&planner);
	conflicts_find(&planner);
	wants_host_routes(&planner);
	stale_links_plan(&planner);
	elsewhere_tell(&planner);
	targets_tell(&planner);
	nets_tell(&planner);
	claims_tell(&planner);
	for (size_t i = 0; i < planner.n_planned; i++)
		planned_plan(&planner, &planner.planned_all[i]);
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

const char *step_temporary_name(const struct step *step, char name[IFNAMSIZ])
{
	snprintf(name, IFNAMSIZ, TEMPORARY_PREFIX "%08x", (unsigned)step->have->ifindex);
	return name;
}

struct mac step_temporary_mac(const struct step *step)
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
