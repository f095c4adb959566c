#include "cmd/apply_retry.h"

#include "cmd/output_json.h"
#include "lib/clock.h"
#include "lib/memory.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

/* In total, and before the first retry; each pause is twice as long as the previous one. */
#define PATIENCE_MS 2000
#define PAUSE_MS    10

/* The number of other MACs to try afterwards. */
#define OTHERS_MAX 16

static bool any_busy(const struct run *run)
{
	for (size_t i = 0; i < run->plan->n_steps; i++)
		if (outcome_busy(&run->outcomes[i]))
			return true;
	return false;
}

/* A step may have been deferred because of a busy one. */
static bool is_retried(const struct outcome *outcome)
{
	return outcome_busy(outcome) || outcome->state == OUTCOME_DEFERRED;
}

static const char *alias_of(const struct step *step)
{
	return step->desired ? step->desired->alias : step->current ? step->current->alias : "";
}

static const struct step *step_find(const struct plan *plan, const struct step *busy)
{
	for (size_t i = 0; i < plan->n_steps; i++) {
		const struct step *step = &plan->steps[i];
		/* All VLAN links of a set have the same owner tag. */
		if (strcmp(alias_of(step), alias_of(busy)) == 0 &&
		    step->container == busy->container && step->network == busy->network &&
		    (!step_is_parent(step) || strcmp(step->name, busy->name) == 0))
			return step;
	}
	return NULL;
}

/* A saved plan is applied unchanged, or not at all. */
static bool may_do(const struct step *step, const struct step *busy, const struct options *options)
{
	if (!options->saved)
		return true;
	json_t *now = json_step(step, NULL), *then = json_step(busy, NULL);
	const bool same = json_equal(now, then);
	json_decref(now);
	json_decref(then);
	return same;
}

/* Retries only busy steps, and those that depend on them. */
static struct selection steps_select(const struct run *run, const struct run *retry,
				     const struct options *options)
{
	struct selection selection = selection_none(retry->plan, retry->arena);
	for (size_t i = 0; i < run->plan->n_steps; i++) {
		const struct step *busy = &run->plan->steps[i];
		const struct step *step =
			is_retried(&run->outcomes[i]) ? step_find(retry->plan, busy) : NULL;
		if (step && may_do(step, busy, options))
			selection.selected[step - retry->plan->steps] = step_acts(step);
	}
	return selection;
}

/* A step that the new plan lacks was done by another process. A step that is now impossible keeps
 * its error. */
static void outcomes_take(struct run *run, struct run *retry)
{
	struct step *steps = arena_alloc(run->arena, (run->plan->n_steps + 1) * sizeof(*steps));
	struct plan *plan = arena_alloc(run->arena, sizeof(*plan));
	*plan = *run->plan;
	plan->steps = steps;
	for (size_t i = 0; i < run->plan->n_steps; i++) {
		struct outcome *outcome = &run->outcomes[i];
		steps[i] = run->plan->steps[i];
		if (!is_retried(outcome))
			continue;
		const struct step *step = step_find(retry->plan, &steps[i]);
		const size_t number = step ? (size_t)(step - retry->plan->steps) : 0;
		if (step && !retry->selection.selected[number])
			continue;
		outcome_clear(outcome);
		outcome->state = OUTCOME_DONE;
		if (!step)
			continue;
		*outcome = retry->outcomes[number];
		retry->outcomes[number] = (struct outcome){.state = outcome->state};
		steps[i] = *step;
	}
	run->plan = plan;
	retry->retry = run->retry;
	run->retry = retry;
	run_exit_code(run);
}

static bool try_locked(struct run *run, const struct desired *desired, struct lookups *lookups,
		       const struct options *options)
{
	struct error error;
	struct run *retry = memory_new(1, sizeof(*retry));
	if (run_observe_at(retry, desired, lookups, options, &error) < 0) {
		free(retry);
		return false;
	}
	retry->selection = steps_select(run, retry, options);
	run_do(retry, options);
	outcomes_take(run, retry);
	return true;
}

static bool retry_once(struct run *run, const struct desired *desired, struct lookups *lookups,
		       const struct options *options)
{
	struct error error;
	struct apply_lock lock;
	bool tried = run_lock(lookups, desired, options, &lock, &error) == 0;
	if (tried) {
		tried = try_locked(run, desired, lookups, options);
		apply_unlock(&lock);
	}
	return tried;
}

/* Returns whether there is one that was not tried before. */
static bool refused_note(const struct run *run, struct refused_macs *refused)
{
	bool fresh = false;
	for (size_t i = 0; i < run->plan->n_steps; i++)
		if (outcome_busy(&run->outcomes[i]))
			fresh |= refused_macs_add(refused, &run->plan->steps[i].desired->mac);
	return fresh;
}

/* The holder of the MAC keeps it: choose the planned MACs again. */
static void others_try(struct run *run, const struct desired *desired, struct lookups *lookups,
		       const struct options *options)
{
	struct refused_macs refused = {0};
	struct options other = *options;
	other.plan.refused = &refused;
	for (unsigned i = 0; i < OTHERS_MAX && refused_note(run, &refused); i++)
		if (!retry_once(run, desired, lookups, &other))
			return;
}

void busy_retry(struct run *run, const struct desired *desired, struct lookups *lookups,
		const struct options *options)
{
	const int64_t end = clock_milliseconds() + PATIENCE_MS;
	for (int64_t pause = PAUSE_MS; any_busy(run) && clock_milliseconds() < end; pause *= 2) {
		nanosleep(&(struct timespec){.tv_sec = pause / 1000,
					     .tv_nsec = pause % 1000 * 1000000},
			  NULL);
		if (!retry_once(run, desired, lookups, options))
			return;
	}
	others_try(run, desired, lookups, options);
}
