#include "cmd/attach/attach_one.h"

#include "cmd/exit.h"
#include "cmd/output.h"
#include "cmd/output_text.h"
#include "cmd/run.h"
#include "container_engine/container_name.h"
#include "lib/clock.h"

#include <string.h>
#include <time.h>

/* For a parent that does not exist yet: after a boot, containers start before the last link. */
#define PATIENCE_MS 10000
#define PAUSE_MS    100

static bool is_source(const struct starting *starting, const char *source)
{
	return engine_name_means(source, starting->id, starting->name) ||
	       (starting->service && strcmp(source, starting->service) == 0);
}

struct containers starting_declared(const struct starting *starting, const struct desired *desired,
				    struct arena *arena)
{
	struct containers found = {0};
	for (size_t s = 0; s < desired->n_sets; s++)
		for (size_t i = 0; i < desired->sets[s].n_containers; i++) {
			const struct container *container = &desired->sets[s].containers[i];
			if (container->source_kind == starting->kind &&
			    is_source(starting, container->source))
				*array_push(arena, found.items, found.count) = container;
		}
	return found;
}

/* Returns 1, 0 if the container has the host's network namespace, or a negative errno. */
static int processes_set(struct lookups *lookups, const struct starting *starting,
			 const struct containers *containers, struct error *error)
{
	const struct known_container known = {
		.pid = starting->pid, .id = starting->id, .engine_links = starting->engine_links};
	int status = 1;
	for (size_t i = 0; status > 0 && i < containers->count; i++)
		status = lookups_set(lookups, starting->kind, containers->items[i]->source, &known,
				     error);
	return status;
}

/* Only a missing parent comes by itself. */
static bool parent_missing(const struct run *run, const struct containers *containers)
{
	for (size_t i = 0; i < run->plan->n_steps; i++) {
		const struct step *step = &run->plan->steps[i];
		if (step->action == ACTION_BLOCKED && step->code == CODE_PARENT_ABSENT &&
		    containers_have(containers, step))
			return true;
	}
	return false;
}

/* An attachment waits for its network; the network's step has the reason. */
static const struct step *cause_of(const struct plan *plan, const struct step *step)
{
	for (size_t i = 0; i < plan->n_steps; i++)
		if (plan->steps[i].tag.role == ROLE_NONE &&
		    plan->steps[i].action == ACTION_BLOCKED &&
		    plan->steps[i].network == step->network)
			return &plan->steps[i];
	return step;
}

static void reason_set(const struct plan *plan, const struct step *step, struct error *error)
{
	const struct step *cause = cause_of(plan, step);
	error_set(error, 0, "%s", cause->reason);
	error_code(error, cause->code);
	if (cause->hint)
		error_hint(error, "%s", cause->hint);
}

/* What the plan says against it, or what happened when it was tried; false: nothing. */
static bool step_error(const struct run *run, const struct step *step, struct error *error)
{
	const struct outcome *outcome =
		run->outcomes ? &run->outcomes[step - run->plan->steps] : NULL;
	if (step->action == ACTION_BLOCKED || step->action == ACTION_REFUSED ||
	    step->action == ACTION_PENDING) {
		reason_set(run->plan, step, error);
		return true;
	}
	if (!step_acts(step) || (outcome && outcome->state == OUTCOME_DONE))
		return false;
	if (outcome && outcome->error)
		*error = *outcome->error;
	else
		error_set(error, 0, "the attachment was not made");
	return true;
}

/* A runtime passes the text on: to whoever starts the container, it says whose it is. */
static int attachments_report(const struct run *run, const struct containers *containers,
			      const struct desired *desired)
{
	int code = EXIT_CONVERGED;
	for (size_t i = 0; i < run->plan->n_steps; i++) {
		const struct step *step = &run->plan->steps[i];
		struct error error;
		if (!containers_have(containers, step) || !step_error(run, step, &error))
			continue;
		error_prepend(&error, "%s", step_id(run->arena, step, desired->n_sets > 1));
		text_error(&error);
		code = EXIT_FAILED;
	}
	return code;
}

static int passes_do(struct lookups *lookups, const struct containers *containers,
		     const struct desired *desired, const struct options *options)
{
	struct options only = *options;
	only.only = containers;
	for (const int64_t end = clock_milliseconds() + PATIENCE_MS;;) {
		struct run run;
		struct error error;
		if (run_apply_pass(&run, desired, lookups, &only, &error) < 0)
			return run_error(&error, options);
		const bool repeat = parent_missing(&run, containers) && clock_milliseconds() < end;
		const int code =
			repeat ? EXIT_FAILED : attachments_report(&run, containers, desired);
		run_free(&run);
		if (!repeat)
			return code;
		nanosleep(&(struct timespec){.tv_nsec = PAUSE_MS * 1000000L}, NULL);
	}
}

int attach_one(const struct starting *starting, const struct containers *containers,
	       const struct desired *desired, const struct options *options)
{
	struct error error;
	struct lookups *lookups = lookups_new(NULL, NULL, NULL);
	const int status = processes_set(lookups, starting, containers, &error);
	const int code = status < 0   ? run_error(&error, options)
			 : status > 0 ? passes_do(lookups, containers, desired, options)
				      : EXIT_CONVERGED;
	lookups_free(lookups);
	return code;
}
