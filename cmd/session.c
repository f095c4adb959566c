#include "cmd/session.h"

#include "cmd/attach/attach_alone.h"
#include "cmd/confirm_socket.h"
#include "cmd/exit.h"
#include "cmd/incomplete.h"
#include "cmd/output_ip.h"
#include "cmd/output_json.h"
#include "cmd/output_markdown.h"
#include "cmd/output_text.h"
#include "cmd/progress.h"
#include "cmd/undeclared_set.h"
#include "kernel/boot_id.h"
#include "lib/memory.h"
#include "reconcile/apply/plan_done.h"
#include "reconcile/plan/dhcp.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static bool refused(const struct plan *plan)
{
	return plan->guard.refused || plan_count(plan, ACTION_REFUSED) > 0;
}

/* A run of some containers changes nothing else, and a conflict of others does not concern it. */
static bool run_refused(const struct run *run, const struct options *options)
{
	if (!options->only)
		return refused(run->plan);
	for (size_t i = 0; i < run->plan->n_steps; i++)
		if (run->plan->steps[i].action == ACTION_REFUSED &&
		    containers_have(options->only, &run->plan->steps[i]))
			return true;
	return false;
}

/* What --max-delete says no to. */
static void fault_guard(struct run *run, const struct plan_options *options)
{
	const struct guard *guard = &run->plan->guard;
	error_set(&run->fault, 0,
		  "refused: this would delete %zu of the %zu live attachments of the set \"%s\", "
		  "more than --max-delete=%u%s; nothing was changed",
		  guard->deletes, guard->live, guard->set, options->max_delete.limit,
		  options->max_delete.percent ? "%" : "");
	if (options->declared)
		error_hint(&run->fault,
			   "the files declare no live object of that set: pass its own files with "
			   "-f; to delete these attachments, use `mvapply delete --name %s`, or "
			   "--max-delete=%zu",
			   guard->set, guard->deletes);
	else if (guard->other_file)
		error_hint(
			&run->fault,
			"the files declare no live container of that set: set another `name:` in "
			"them, or pass the set's other files with -f as well; to delete these "
			"attachments, use --max-delete=%zu",
			guard->deletes);
	else
		error_hint(&run->fault,
			   "to delete them, use --max-delete=%zu, or `mvapply delete` for the "
			   "whole set",
			   guard->deletes);
	error_code(&run->fault, CODE_GUARD);
}

static int preview_code(const struct plan *plan)
{
	if (refused(plan))
		return EXIT_REFUSED;
	if (plan_count(plan, ACTION_BLOCKED))
		return EXIT_FAILED;
	return plan_empty(plan) ? EXIT_CONVERGED : EXIT_DIFFERS;
}

/* Queries the engines, if the files name any. Each phase shows its own progress: no thread may
 * remain when a confirm guard is forked. */
static void containers_find(struct lookups *lookups, const struct desired *desired,
			    const struct options *options, enum lookup_urgency urgency)
{
	if (options->only)
		return;
	/* Where there are more passes, what needs no engine is not to wait for one that hangs. */
	const bool repeated = options->wait || options->watch_seconds;
	lookups_query_all(lookups, desired, SOURCE_DOCKER, urgency);
	lookups_query_all(lookups, desired, SOURCE_PODMAN, urgency);
	if (!lookups_pending(lookups))
		return;
	struct progress *progress = progress_begin(options);
	progress_phase(progress, "Querying the container engines", 0);
	(repeated ? lookups_run : lookups_wait)(lookups);
	progress_end(progress);
}

/* The steps that the run applies if it is not a preview. */
static struct selection steps_selected(const struct plan *plan, const struct options *options,
				       struct arena *arena)
{
	return options->only ? selection_of_containers(plan, options->only, arena)
			     : selection_all(plan, arena);
}

/* A container to attach may still be in a namespace that it has left, and so may a container to
 * delete. */
static const struct plan *plan_searched(const struct desired *desired, struct live *live,
					const struct options *options)
{
	struct arena *arena __attribute__((cleanup(arena_cleanup))) = arena_new();
	const struct plan *plan = plan_make(desired, live, &options->plan);
	const struct selection selection = steps_selected(plan, options, arena);
	if ((!selection_chooses(&selection) && !options->plan.unguarded) ||
	    !observe_descriptors(live))
		return plan;
	plan_free(plan);
	return plan_make(desired, live, &options->plan);
}

/* The caller parses all of the files. */
static struct live *excerpt_short(struct error *error)
{
	error_set(error, ESTALE, "other containers of the files have to be known");
	return NULL;
}

/* Observes the host and some containers. *desired is reduced to these if that is enough for their
 * plan. NULL: an error. */
static struct live *containers_observe(const struct desired **desired, struct lookups *lookups,
				       const struct options *options, struct arena *arena,
				       struct error *error)
{
	const struct desired *whole = *desired;
	*desired = attach_desired(whole, options->only, arena);
	struct live *live = observe_containers(*desired, options->only, lookups, error);
	if (!live || !attach_beside(live))
		return live;
	live_free(live);
	*desired = whole;
	return whole->excerpt ? excerpt_short(error)
			      : observe_containers(whole, options->only, lookups, error);
}

/* For a run of some containers, the host and these are enough if nothing else can collide with them
 * (attach_alone). Returns 1 if they were, 0, or a negative errno; -ESTALE: they are not, and
 * `desired` has no others. */
static int observe_alone(struct run *run, const struct desired *desired, struct lookups *lookups,
			 const struct options *options, struct error *error)
{
	*run = (struct run){.arena = arena_new()};
	struct plan_options plan = options->plan;
	const struct desired *own = desired;
	struct other_addresses others;
	run->live = containers_observe(&own, lookups, options, run->arena, error);
	if (!run->live) {
		run_free(run);
		return error->errnum == ESTALE ? -ESTALE : -1;
	}
	plan.others = &others;
	if (attach_others_find(desired, options->only, run->live, run->arena, &others)) {
		run->plan = plan_make(own, run->live, &plan);
		run->selection = steps_selected(run->plan, options, run->arena);
		if (attach_alone(&run->selection, run->live, options->only))
			return 1;
	}
	run_free(run);
	return 0;
}

int run_observe_at(struct run *run, const struct desired *desired, struct lookups *lookups,
		   const struct options *options, struct error *error)
{
	const int alone = options->only && attach_may_be_alone(options->only)
				  ? observe_alone(run, desired, lookups, options, error)
				  : 0;
	if (alone)
		return alone < 0 ? alone : 0;
	if (desired->excerpt) {
		(void)excerpt_short(error);
		return -ESTALE;
	}
	struct progress *progress = progress_begin(options);
	progress_phase(progress, "Reading the host's network namespaces", 0);
	struct live *live = observe(desired, lookups, error);
	progress_end(progress);
	if (!live)
		return -1;
	*run = (struct run){
		.arena = arena_new(), .live = live, .plan = plan_searched(desired, live, options)};
	run->selection = steps_selected(run->plan, options, run->arena);
	if (run->plan->guard.refused)
		fault_guard(run, &options->plan);
	struct warning warning;
	if (undeclared_set_warning(run->plan, &warning))
		run->plan = plan_warn(run->plan, &warning, run->arena);
	run->exit_code = incomplete_exit(live, preview_code(run->plan), &run->fault);
	return 0;
}

int run_reobserve(struct run *run, const struct desired *desired, struct lookups *lookups,
		  const struct options *options, struct error *error)
{
	containers_find(lookups, desired, options, LOOKUP_IDLE);
	return run_observe_at(run, desired, lookups, options, error);
}

int run_observe(struct run *run, const struct desired *desired, const struct options *options,
		struct error *error)
{
	struct lookups *lookups = lookups_new(NULL, NULL, NULL);
	int status = run_reobserve(run, desired, lookups, options, error);
	lookups_free(lookups);
	return status;
}

/* A released lease may belong to another host when it is requested again. */
static void leases_keep(struct run *run)
{
	size_t count = leases_ending(&run->selection, run->live);
	if (!count)
		return;
	run->plan =
		plan_warn(run->plan,
			  &(struct warning){.kind = count == 1 ? WARNING_LEASE_RUNS_OUT
							       : WARNING_LEASES_RUN_OUT,
					    .objects = {arena_printf(run->arena, "%zu", count)}},
			  run->arena);
}

void run_exit_code(struct run *run)
{
	size_t failed = plan_count(run->plan, ACTION_BLOCKED);
	for (size_t i = 0; i < run->plan->n_steps; i++)
		failed += run->outcomes[i].state == OUTCOME_FAILED;
	run->failed = failed;
	run->exit_code =
		incomplete_exit(run->live, failed ? EXIT_FAILED : EXIT_CONVERGED, &run->fault);
}

void run_do(struct run *run, const struct options *options)
{
	if (options->confirm_seconds)
		leases_keep(run);
	struct progress *progress = progress_begin(options);
	progress_phase(progress, "Applying", selection_count(&run->selection));
	run->outcomes = outcomes_new(run->plan->n_steps);
	apply(&run->selection, run->live,
	      &(struct apply_options){.broker = options->broker,
				      .keep_leases = options->confirm_seconds > 0,
				      .keep_name_servers = options->confirm_seconds > 0,
				      .probe = true,
				      .silent = options->only != NULL,
				      .handed_over = options->handed_over,
				      .fresh = !options->confirm_seconds,
				      .process_ends = true,
				      .done = progress_counter(progress)},
	      run->outcomes);
	progress_end(progress);
	run->plan = plan_done(run->plan, run->outcomes, run->arena);
	run_exit_code(run);
}

struct fingerprint run_fingerprint(const struct run *run, const struct desired *desired)
{
	observe_cookies(run->live);
	return fingerprint_make(desired, run->live, run->plan, boot_id(run->arena), run->arena);
}

static void fault_stale(struct run *run, const char *path)
{
	error_set(&run->fault, 0,
		  "refused: the host has changed since %s was saved; nothing was changed", path);
	error_hint(&run->fault, "the plan above is the current one; `mvapply diff --out` saves it "
				"for review");
	error_code(&run->fault, CODE_PLAN_STALE);
}

static bool saved_is_valid(struct run *run, const struct desired *desired,
			   const struct options *options)
{
	const struct saved_plan *saved = options->saved;
	const struct fingerprint live = run_fingerprint(run, desired);
	json_t *steps = json_steps(run->plan, NULL);
	run->n_stale_reasons =
		saved_plan_compare(saved, &live, steps, run->arena, &run->stale_reasons);
	json_decref(steps);
	if (!run->n_stale_reasons)
		return true;
	fault_stale(run, options->words[0]);
	run->exit_code = EXIT_REFUSED;
	return false;
}

static const char *sets_text(const struct desired *desired, struct arena *arena)
{
	const char *text = "";
	for (size_t i = 0; i < desired->n_sets; i++)
		text = arena_printf(arena, "%s%s%s", text, i ? ", " : "", desired->sets[i].name);
	return text;
}

/* Applies the plan, under a confirm guard if one was requested and the plan has changes. */
static int run_guarded(struct run *run, const struct desired *desired,
		       const struct options *options, const struct apply_lock *lock,
		       struct error *error)
{
	run->job = (struct confirm_job){.plan = run->plan,
					.before = run->live,
					.sets = sets_text(desired, run->arena),
					.seconds = options->confirm_seconds,
					.broker = options->broker};
	if (options->confirm_seconds && !plan_empty(run->plan)) {
		int status = confirm_guard_begin(&run->guard, &run->job, lock, error);
		if (status < 0)
			return status;
	}
	run_do(run, options);
	return 0;
}

int run_locked(struct run *run, const struct desired *desired, struct lookups *lookups,
	       const struct options *options, const struct apply_lock *lock, struct error *error)
{
	int status = confirm_check(error);
	if (status == 0)
		status = run_observe_at(run, desired, lookups, options, error);
	if (status < 0 || run_refused(run, options) ||
	    (options->saved && !saved_is_valid(run, desired, options)))
		return status;
	status = run_guarded(run, desired, options, lock, error);
	if (status < 0)
		run_free(run);
	return status;
}

struct lock_waiter {
	const struct options *options;
	struct progress *progress; /* NULL: there is none, and the note is a line */
};

static void lock_waits(const char *sentence, void *data)
{
	const struct lock_waiter *waiter = data;
	if (waiter->progress)
		progress_phase(waiter->progress, arena_strdup(waiter->options->arena, sentence), 0);
	else if (!waiter->options->quiet)
		text_note(sentence);
}

static int lock_wait(const struct options *options, struct apply_lock *ret_lock,
		     struct error *error)
{
	struct lock_waiter waiter = {.options = options, .progress = progress_begin(options)};
	progress_phase(waiter.progress, "Waiting for another mvapply to finish", 0);
	const struct lock_wait wait = {.note = lock_waits, .data = &waiter, .fd = -1};
	int status = apply_lock(ret_lock, &wait, error);
	progress_end(waiter.progress);
	return status;
}

/* The limit of repeated lookups for containers that restart while the run waits for the lock. */
#define LOOKUPS_MAX 3

int run_lock(struct lookups *lookups, const struct desired *desired, const struct options *options,
	     struct apply_lock *ret_lock, struct error *error)
{
	for (int i = 1;; i++) {
		containers_find(lookups, desired, options,
				i == 1 ? LOOKUP_UNLESS_READY : LOOKUP_OUTDATED);
		int status = lock_wait(options, ret_lock, error);
		if (status < 0 || i == LOOKUPS_MAX || !lookups_outdated(lookups))
			return status;
		apply_unlock(ret_lock);
	}
}

void run_free(struct run *run)
{
	if (run->retry) {
		run_free(run->retry);
		free(run->retry);
	}
	outcomes_free(run->outcomes, run->plan ? run->plan->n_steps : 0);
	plan_free(run->plan);
	live_free(run->live);
	arena_free(run->arena);
}
