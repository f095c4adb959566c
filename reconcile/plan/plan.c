#include "reconcile/plan/plan.h"

#include "lib/hashmap.h"
#include "reconcile/plan/kernel_report.h"
#include "reconcile/plan/parent_warnings.h"
#include "reconcile/plan/plan_builder.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

const struct plan_options plan_options_default = {
	.max_delete = {.limit = 50, .percent = true, .from = 10},
};

void warning_put(const struct plan_input *input, const struct warning *warning)
{
	struct warning *added =
		array_push(input->arena, input->warnings->items, input->warnings->count);
	added->kind = warning->kind;
	for (size_t i = 0; i < WARNING_OBJECTS_MAX && warning->objects[i]; i++)
		added->objects[i] = arena_strdup(input->arena, warning->objects[i]);
}

const struct set *desired_set(const struct plan_input *input, const char *name)
{
	for (size_t i = 0; name && i < input->desired->n_sets; i++)
		if (strcmp(input->desired->sets[i].name, name) == 0)
			return &input->desired->sets[i];
	return NULL;
}

static void containers_report(const struct plan_input *input)
{
	for (size_t i = 0; i < input->live->n_containers; i++)
		if (input->live->container_lookups[i].note)
			warning_add(input, WARNING_LOOKUP,
				    input->live->container_lookups[i].container->name,
				    input->live->container_lookups[i].note);
}

static void other_hosts_report(const struct plan_input *input)
{
	if (input->desired->on_other_hosts)
		warning_add(input, WARNING_NOTHING_HERE, input->desired->host);
}

static struct step planned_step(const struct plan_builder *builder,
				const struct planned_attachment *planned)
{
	struct link_spec *spec = builder->specs->specs[planned->number];
	return (struct step){.tag = &spec->tag,
			     .set = planned->set->name,
			     .name = spec->name,
			     .container = planned->container,
			     .attachment = planned->attachment,
			     .network = planned->network,
			     .ns = planned->kept ? planned->kept->ns : planned->ns,
			     .current = planned->kept ? planned->kept->link : planned->current,
			     .desired = spec};
}

static void planned_plan(const struct plan_builder *builder,
			 const struct planned_attachment *planned)
{
	const struct check_result *check_result =
		&builder->conflicts->checked[planned->number].check_result;
	struct step step = planned_step(builder, planned);
	if (check_result->action == ACTION_CREATE) {
		if (step.current)
			step.stale_policy = stale_policy_of(builder, step.ns, step.current);
		const struct step *added = step_diff(builder->input, builder->steps, step);
		if (planned->managed)
			builder->deleted[planned->managed->number] =
				added && added->action == ACTION_REPLACE;
		return;
	}
	step.action = check_result->action;
	step.code = check_result->code;
	step.reason = check_result->reason;
	step.engine_pending = planned->lookup && planned->lookup->engine_pending;
	step.stopped = planned->lookup ? planned->lookup->id : NULL;
	step.hint = check_result->hint;
	*step_add(builder->steps, step.action, step.tag) = step;
}

static bool has_replacements(const struct steps *steps)
{
	for (size_t i = 0; i < steps->count; i++)
		if (steps->items[i].replacement)
			return true;
	return false;
}

/* The number of a deletion's replacement, after the steps were sorted. */
static void replacements_number(struct steps *steps)
{
	if (!has_replacements(steps))
		return;
	struct index *makers __attribute__((cleanup(index_cleanup))) = index_new(steps->count);
	for (size_t i = 0; i < steps->count; i++) {
		struct step *step = &steps->items[i];
		if (step->desired)
			(void)index_put(makers, &step->desired, sizeof(step->desired), step);
	}
	for (size_t i = 0; i < steps->count; i++) {
		struct step *step = &steps->items[i];
		const struct step *maker = step->replacement ? index_get(makers, &step->replacement,
									 sizeof(step->replacement))
							     : NULL;
		if (maker)
			step->replaced_by = 1 + (unsigned)(maker - steps->items);
	}
}

static void steps_make(const struct plan_builder *builder)
{
	const struct attachments *attachments = builder->assigned->attachments;
	stale_links_plan(builder);
	networks_report(builder);
	for (size_t i = 0; i < attachments->count; i++)
		planned_plan(builder, &attachments->planned[i]);
	parents_plan(builder);
	requested_links_plan(builder);
	renumbered_replace(builder->steps);
	steps_order(builder->input, builder->steps);
	replacements_number(builder->steps);
}

/* Phases of values: each is computed once, from the earlier ones (plan_input.h). */
static void plan_fill(const struct plan_input *input, struct plan *plan)
{
	const struct ownership ownership = ownership_make(input);
	const struct managed_index managed = managed_index_make(input, &ownership);
	const struct parents parents = parents_resolve(input, &managed);
	parents_warn(input, &parents);
	const struct attachments attachments =
		attachments_match(input, &ownership, &managed, &parents);
	const struct matched matched = {input, &ownership, &managed, &parents, &attachments};

	const struct unmanaged_index unmanaged = unmanaged_find(&matched);
	const struct addresses addresses = addresses_choose(&matched, &unmanaged);
	const struct names names = names_choose(&matched, &unmanaged, &addresses);
	const struct routes routes = routes_choose(&matched, &addresses);
	const struct assigned assigned = {input,      &matched, &attachments, &unmanaged,
					  &addresses, &names,   &routes};

	const struct conflicts conflicts = conflicts_find(&assigned);
	const struct link_specs specs = link_specs_make(&assigned, &conflicts);
	struct steps steps = {.arena = input->arena};
	const struct plan_builder builder = {
		.input = input,
		.assigned = &assigned,
		.conflicts = &conflicts,
		.specs = &specs,
		.steps = &steps,
		.deleted = arena_alloc(input->scratch, managed.count + 1)};
	steps_make(&builder);
	plan->steps = steps.items;
	plan->n_steps = steps.count;
	other_hosts_report(input);
	containers_report(input);
	claims_report(&assigned, &conflicts);
	ranges_report(&assigned, &conflicts);
	subnets_report(&assigned);
	leases_report(&assigned);
	policy_report(&assigned);
	kernel_report(input, &parents);
	plan->left = undeclared_set_find(&matched);
	plan->guard = guard_check(&builder);
}

const struct plan *plan_make(const struct desired *desired, const struct live *live,
			     const struct plan_options *options)
{
	struct arena *arena = arena_new();
	struct plan *plan = arena_alloc(arena, sizeof(*plan));
	struct warnings warnings = {0};
	const struct plan_input input = {.arena = arena,
					 .scratch = arena_new(),
					 .desired = desired,
					 .live = live,
					 .options = options,
					 .warnings = &warnings};
	plan->arena = arena;
	plan_fill(&input, plan);
	plan->warnings = warnings.items;
	plan->n_warnings = warnings.count;
	arena_free(input.scratch);
	return plan;
}

const struct plan *plan_warn(const struct plan *plan, const struct warning *warning,
			     struct arena *arena)
{
	struct plan *warned = arena_alloc(arena, sizeof(*warned));
	struct warning *warnings = arena_alloc(arena, (plan->n_warnings + 1) * sizeof(*warnings));
	for (size_t i = 0; i < plan->n_warnings; i++)
		warnings[i] = plan->warnings[i];
	warnings[plan->n_warnings] = *warning;
	*warned = *plan;
	warned->warnings = warnings;
	warned->n_warnings++;
	return warned;
}

void plan_free(const struct plan *plan)
{
	if (plan)
		arena_free(plan->arena);
}
