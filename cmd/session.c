#include "cmd/session.h"

#include "cmd/apply_retry.h"
#include "cmd/confirm_socket.h"
#include "cmd/exit.h"
#include "cmd/incomplete.h"
#include "cmd/output_ip.h"
#include "cmd/output_json.h"
#include "cmd/output_markdown.h"
#include "cmd/output_text.h"
#include "cmd/progress.h"
#include "lib/memory.h"
#include "reconcile/apply/dhcp_lease.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static bool refused(const struct plan *plan)
{
	return plan->guard.refused || plan_count(plan, ACTION_REFUSED) > 0;
}

/* What --max-delete says no to. */
static void fault_guard(struct run *run, const struct plan_options *options)
{
	const struct guard *guard = &run->plan->guard;
	error_set(&run->fault, 0,
		  "refused: this would delete %zu of the %zu live attachments of the set \"%s\", "
		  "more than --max-delete=%u%s; nothing was touched",
		  guard->deletes, guard->live, guard->set, options->max_delete.limit,
		  options->max_delete.percent ? "%" : "");
	if (guard->strange)
		error_hint(&run->fault,
			   "the files name nothing of what is live of that set: give them a set of "
			   "their own by `name:`, or pass the others with -f, too; if it is meant, "
			   "say --max-delete=%zu",
			   guard->deletes);
	else
		error_hint(&run->fault,
			   "if that is meant, say --max-delete=%zu, or `mvapply delete` for the "
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

/* Asks the engines, and nobody where the files name none. Each phase shows its own progress: no
 * thread is left when a guardian is forked. */
static void containers_find(struct lookups *lookups, const struct desired *desired,
			    const struct options *options)
{
	lookups_ask_all(lookups, desired, SOURCE_DOCKER, LOOKUP_UNLESS_READY);
	lookups_ask_all(lookups, desired, SOURCE_PODMAN, LOOKUP_UNLESS_READY);
	if (!lookups_asking(lookups))
		return;
	struct progress *progress = progress_begin(options);
	progress_phase(progress, "Asking the container engines", 0);
	lookups_wait(lookups);
	progress_end(progress);
}

int run_observe_at(struct run *run, const struct desired *desired, struct lookups *lookups,
		   const struct options *options, struct error *error)
{
	struct progress *progress = progress_begin(options);
	progress_phase(progress, "Looking at the host's network namespaces", 0);
	struct live *live = observe(desired, lookups, error);
	progress_end(progress);
	if (!live)
		return -1;
	*run = (struct run){.arena = arena_new(),
			    .live = live,
			    .plan = plan_make(desired, live, &options->plan)};
	if (run->plan->guard.refused)
		fault_guard(run, &options->plan);
	run->exit_code = incomplete_exit(live, preview_code(run->plan), &run->fault);
	return 0;
}

int run_observe(struct run *run, const struct desired *desired, const struct options *options,
		struct error *error)
{
	struct lookups *lookups = lookups_new(NULL, NULL, NULL);
	containers_find(lookups, desired, options);
	int status = run_observe_at(run, desired, lookups, options, error);
	lookups_free(lookups);
	return status;
}

static size_t count_acting(const struct plan *plan)
{
	size_t count = 0;
	for (size_t i = 0; i < plan->n_steps; i++)
		count += step_acts(&plan->steps[i]);
	return count;
}

/* A lease that is given back may be another's by the time that it is wanted again. */
static void leases_keep(struct run *run)
{
	size_t count = leases_ending(run->plan, run->live);
	run->plan->keeps_leases = true;
	if (!count)
		return;
	*array_push(run->plan->arena, run->plan->warnings, run->plan->n_warnings) = arena_printf(
		run->plan->arena,
		"%zu lease%s of DHCP run%s out instead of being given back, as --confirm may go "
		"back to them",
		count, count == 1 ? "" : "s", count == 1 ? "s" : "");
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
	progress_phase(progress, "Applying", count_acting(run->plan));
	run->outcomes = outcomes_new(run->plan->n_steps);
	apply_probed(run->plan, run->live, options->broker, run->outcomes,
		     progress_counter(progress));
	progress_end(progress);
	run_exit_code(run);
}

struct fingerprint run_fingerprint(const struct run *run, const struct desired *desired)
{
	observe_cookies(run->live);
	return fingerprint_make(desired, run->live, run->plan, boot_id(run->arena), run->arena);
}

static void fault_moved(struct run *run, const char *path)
{
	error_set(&run->fault, 0,
		  "refused: the host has changed since %s was saved; nothing was touched", path);
	error_hint(&run->fault, "above is what would be done now; `mvapply diff --out` saves it "
				"for review");
	error_code(&run->fault, CODE_PLAN_MOVED);
}

static bool saved_holds(struct run *run, const struct desired *desired,
			const struct options *options)
{
	const struct saved_plan *saved = options->saved;
	const struct fingerprint live = run_fingerprint(run, desired);
	json_t *steps = json_steps(run->plan, NULL);
	run->n_moved = saved_plan_compare(saved, &live, steps, run->arena, &run->moved);
	json_decref(steps);
	if (!run->n_moved)
		return true;
	fault_moved(run, options->words[0]);
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

/* Does the plan, under a guardian if one was asked for and there is anything to guard. */
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

static int run_locked(struct run *run, const struct desired *desired, struct lookups *lookups,
		      const struct options *options, const struct apply_lock *lock,
		      struct error *error)
{
	int status = confirm_check(error);
	if (status == 0)
		status = run_observe_at(run, desired, lookups, options, error);
	if (status < 0 || refused(run->plan) ||
	    (options->saved && !saved_holds(run, desired, options)))
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
	progress_phase(waiter.progress, "Waiting for another mvapply to come to its end", 0);
	int status = apply_lock(ret_lock, lock_waits, &waiter, error);
	progress_end(waiter.progress);
	return status;
}

/* Containers that restart while the lock is waited for are looked up anew, so often. */
#define LOOKUPS_MAX 3

int run_lock(struct lookups *lookups, const struct desired *desired, const struct options *options,
	     struct apply_lock *ret_lock, struct error *error)
{
	for (int i = 1;; i++) {
		containers_find(lookups, desired, options);
		int status = lock_wait(options, ret_lock, error);
		if (status < 0 || i == LOOKUPS_MAX || !lookups_outdated(lookups))
			return status;
		apply_unlock(ret_lock);
	}
}

int run_apply(struct run *run, const struct desired *desired, const struct options *options,
	      struct error *error)
{
	struct lookups *lookups = lookups_new(NULL, NULL, NULL);
	struct apply_lock lock;
	int status = run_lock(lookups, desired, options, &lock, error);
	if (status == 0) {
		status = run_locked(run, desired, lookups, options, &lock, error);
		apply_unlock(&lock);
	}
	lookups_free(lookups);
	if (status == 0 && run->outcomes)
		busy_again(run, desired, options);
	if (status == 0 && run->guard.pid)
		confirm_guard_applied(&run->guard);
	return status;
}

void run_free(struct run *run)
{
	if (run->again) {
		run_free(run->again);
		free(run->again);
	}
	outcomes_free(run->outcomes, run->plan ? run->plan->n_steps : 0);
	plan_free(run->plan);
	live_free(run->live);
	arena_free(run->arena);
}

/* What was asked for goes to stdout, what went wrong to stderr, in the order in which it came. */
static void report_text(const struct run *run, const struct desired *desired,
			const struct options *options)
{
	const struct plan *plan = run->plan;
	struct text text = text_new(options, options->quiet ? stderr : stdout, desired->n_sets);
	bool tried = run->outcomes && plan->n_steps;
	text_warnings(plan, run->live);
	text_plan(&text, plan, options->quiet ? TEXT_TROUBLES : TEXT_ALL);
	if (!options->quiet && !tried)
		text_plan_summary(&text, plan, run->live);
	fflush(stdout);
	if (tried)
		text_failures(&text, plan, run->outcomes);
	if (tried && !options->quiet)
		text_done(&text, plan, run->outcomes);
	if (plan_count(plan, ACTION_REFUSED))
		fputs("mvapply: refused: nothing was touched\n", stderr);
	for (size_t i = 0; i < run->n_moved; i++)
		text_note(run->moved[i]);
	if (run->fault.code)
		text_error(&run->fault);
}

/* Those of before the first look come first. */
static void warnings_precede(json_t *document, const struct options *options)
{
	json_t *all = json_sentences(options->warnings, options->n_warnings);
	json_array_extend(all, json_object_get(document, "warnings"));
	json_put(document, "warnings", all);
}

static json_t *report_json(const struct run *run, const struct options *options)
{
	json_t *document = json_plan(run->plan, run->live, run->outcomes);
	warnings_precede(document, options);
	if (run->earlier)
		json_plan_precede(document, run->earlier);
	json_put(document, "errors", json_errors(&run->fault));
	if (run->n_moved)
		json_put(document, "moved", json_sentences(run->moved, run->n_moved));
	return document;
}

static void report_ip(const struct run *run, const struct text *text)
{
	__attribute__((cleanup(arena_cleanup))) struct arena *arena = arena_new();
	text_warnings(run->plan, run->live);
	ip_plan(text, run->plan, run->live, origins_find(run->live, arena));
}

int run_report(const struct run *run, const struct desired *desired, const struct options *options)
{
	const struct text text = text_new(options, stdout, desired->n_sets);
	switch (options->output) {
	case OUTPUT_JSON:
		return json_finish(report_json(run, options), run->exit_code);
	case OUTPUT_TEXT:
		report_text(run, desired, options);
		break;
	case OUTPUT_IP:
		report_ip(run, &text);
		break;
	case OUTPUT_MARKDOWN:
		markdown_plan(&text, run->plan, run->live);
		break;
	}
	return run->exit_code;
}

static int conclude_json(struct run *run, const struct check_result *check_result,
			 const struct options *options)
{
	json_t *document = report_json(run, options);
	json_put(document, "confirmed", json_boolean(check_result->confirmed));
	if (check_result->broken)
		json_put(document, "not_reverted", json_text(check_result->words));
	return json_finish(document, run->exit_code);
}

static void fault_reverted(struct run *run, const struct check_result *check_result,
			   const struct options *options)
{
	char within[64];
	snprintf(within, sizeof(within), "not confirmed within %u s", options->confirm_seconds);
	error_set(&run->fault, 0, "reverted: %s; %s",
		  check_result->cancelled ? "cancelled" : within,
		  check_result->broken ? "but not all of it" : "everything is what it was before");
	error_code(&run->fault, check_result->broken ? CODE_NOT_REVERTED : CODE_REVERTED);
	if (check_result->broken)
		error_hint(&run->fault, "`mvapply diff` shows what differs from the file now");
}

static void conclude_text(const struct run *run, const struct check_result *check_result,
			  const struct options *options)
{
	if (check_result->confirmed) {
		fputs(options->quiet ? "" : "Confirmed.\n", stdout);
		return;
	}
	fputs(check_result->words, stderr);
	text_error(&run->fault);
}

/* ENTER is offered only where it is heard. */
static void ask_to_confirm(const struct keyboard *keyboard, unsigned seconds)
{
	fprintf(stderr,
		"mvapply: to confirm, %srun `mvapply confirm` or send SIGUSR1 to %ld;\n"
		"    otherwise the changes are rolled back in %u s\n",
		keyboard->foreground ? "press ENTER, " : "", (long)getpid(), seconds);
}

int run_conclude(struct run *run, const struct desired *desired, const struct options *options)
{
	if (!run->guard.pid)
		return run_report(run, desired, options);
	if (options->output == OUTPUT_TEXT)
		run_report(run, desired, options);
	fflush(stdout);
	struct keyboard keyboard = keyboard_open();
	ask_to_confirm(&keyboard, options->confirm_seconds);
	const struct check_result check_result =
		confirm_guard_wait(&run->guard, &keyboard, &run->job, run->arena);
	if (!check_result.confirmed) {
		run->exit_code = check_result.broken ? EXIT_FAILED : EXIT_REVERTED;
		fault_reverted(run, &check_result, options);
	}
	if (options->output == OUTPUT_JSON)
		return conclude_json(run, &check_result, options);
	conclude_text(run, &check_result, options);
	return run->exit_code;
}

static json_t *error_json(const struct error *error, json_t *earlier)
{
	const struct plan nothing = {0};
	const struct live nowhere = {0};
	if (json_array_size(earlier) == 0)
		return json_error(error);
	json_t *document = json_plan(&nothing, &nowhere, NULL);
	json_plan_precede(document, earlier);
	json_put(document, "errors", json_errors(error));
	return document;
}

int run_error_after(const struct error *error, json_t *earlier, const struct options *options)
{
	const int code = error->code == CODE_UNCONFIRMED ? EXIT_REFUSED
			 : error->code >= CODE_COMMAND   ? EXIT_USAGE
							 : EXIT_FAILED;
	if (options->output == OUTPUT_JSON) {
		json_t *document = error_json(error, earlier);
		if (options->n_warnings)
			warnings_precede(document, options);
		return json_finish(document, code);
	}
	text_error(error);
	return code;
}

int run_error(const struct error *error, const struct options *options)
{
	return run_error_after(error, NULL, options);
}

int run_once(run_round *round, const struct desired *desired, const struct options *options)
{
	struct run run;
	struct error error;
	if (round(&run, desired, options, &error) < 0)
		return run_error(&error, options);
	int code = run_conclude(&run, desired, options);
	run_free(&run);
	return code;
}
