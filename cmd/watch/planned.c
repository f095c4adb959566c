#include "cmd/watch/internal.h"
#include "reconcile/plan/part.h"

/* Without the steps that failed a short time ago. */
static struct selection steps_select(struct service *service, const struct plan *plan,
				     struct arena *arena)
{
	char key[STEP_RETRY_KEY_SIZE];
	struct selection selection = selection_all(plan, arena);
	for (size_t i = 0; i < plan->n_steps; i++)
		if (selection.selected[i])
			selection.selected[i] = !retry_deferred(
				service->retry, step_retry_key(&plan->steps[i], key),
				service->deferred_at);
	return selection;
}

void planned_free(const struct selection *planned)
{
	plan_free(planned->plan);
	arena_free(planned->arena);
}

static struct plan_options plan_options_of(const struct service *service)
{
	struct plan_options options = service->options->plan;
	options.refused = &service->refused;
	options.thorough = true;
	return options;
}

struct selection service_plan(struct service *service)
{
	const struct plan_options options = plan_options_of(service);
	return steps_select(service, plan_make(service->desired, service->live, &options),
			    arena_new());
}

struct selection service_plan_part(struct service *service)
{
	const struct plan_options options = plan_options_of(service);
	const struct live_ns *ns = service_drifted(service);
	struct selection selection = {.arena = arena_new()};
	struct part part;
	if (ns && part_find(service->desired, service->live, ns, selection.arena, &part)) {
		const struct plan *plan = plan_make(part.desired, part.live, &options);
		selection = steps_select(service, plan, selection.arena);
		if (part_stands(plan, ns) && selection_count(&selection) == plan->n_steps)
			return selection;
	}
	planned_free(&selection);
	return (struct selection){.plan = NULL};
}
