#include "reconcile/plan/plan.h"

#include "reconcile/plan/internal.h"

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
	if (step.current)
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

static void targets_report(struct planner *planner)
{
	for (size_t i = 0; i < planner->live->n_targets; i++)
		if (planner->live->targets[i].note)
			warning_add(planner, "%s", planner->live->targets[i].note);
}

static void elsewhere_report(struct planner *planner)
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
	return (struct step){.mark = planned->desired->mark,
			     .set = planned->set->name,
			     .name = planned->name,
			     .container = planned->container,
			     .network = planned->network,
			     .ns = planned->kept ? planned->kept->ns : planned->ns,
			     .current = planned->kept ? planned->kept->link : planned->current,
			     .desired = planned->desired};
}

static void planned_plan(struct planner *planner, struct planned_attachment *planned)
{
	struct step step = planned_step(planned);
	if (planned->check_result.action == ACTION_CREATE) {
		step_diff(planner, step);
		const struct plan *plan = planner->plan;
		const struct step *last = plan->n_steps ? &plan->steps[plan->n_steps - 1] : NULL;
		if (planned->managed && last && last->current == planned->current)
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
		step->current = managed->link;
		step->reason = kept ? kept_reason(planner, replacement)
				    : deletion_reason(planner, managed, &step->stray);
		step->replacement = replacement && !kept ? replacement->desired : NULL;
		managed->leaves = !kept;
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
	replacements_candidates(&planner);
	addresses_choose(&planner);
	names_choose(&planner);
	macs_choose(&planner);
	link_specs_make(&planner);
	replacements_find(&planner);
	conflicts_find(&planner);
	host_routes_specify(&planner);
	stale_links_plan(&planner);
	elsewhere_report(&planner);
	targets_report(&planner);
	nets_report(&planner);
	claims_report(&planner);
	left_set_find(&planner);
	for (size_t i = 0; i < planner.n_planned; i++)
		planned_plan(&planner, &planner.planned_all[i]);
	parents_plan(&planner);
	steps_order(&planner);
	replacements_number(plan);
	guard(&planner);
	arena_free(planner.scratch);
	return plan;
}

void plan_free(const struct plan *plan)
{
	if (plan)
		arena_free(plan->arena);
}
