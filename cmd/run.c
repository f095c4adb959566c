#include "cmd/run.h"

#include "cmd/apply_retry.h"
#include "cmd/exit.h"
#include "cmd/output.h"
#include "cmd/output_json.h"
#include "cmd/output_text.h"
#include "cmd/progress.h"
#include "cmd/terminal.h"
#include "reconcile/apply/advertised.h"
#include "reconcile/apply/plan_done.h"

#include <stdio.h>
#include <unistd.h>

/* The lock is released: other runs do not wait for a router. The start of a container does not, in
 * an attach alone. */
static void advertised_wait(struct run *run, const struct options *options)
{
	struct progress *progress = progress_begin(options);
	progress_phase(progress, "Waiting for router advertisements", 0);
	advertised_await(run->plan, run->outcomes);
	progress_end(progress);
	run->plan = plan_done(run->plan, run->outcomes, run->arena);
}

int run_apply_pass(struct run *run, const struct desired *desired, struct lookups *lookups,
		   const struct options *options, struct error *error)
{
	struct apply_lock lock;
	int status = run_lock(lookups, desired, options, &lock, error);
	if (status == 0) {
		status = run_locked(run, desired, lookups, options, &lock, error);
		apply_unlock(&lock);
	}
	if (status == 0 && run->outcomes)
		busy_retry(run, desired, lookups, options);
	if (status == 0 && run->outcomes && !options->only &&
	    advertised_expected(run->plan, run->outcomes))
		advertised_wait(run, options);
	if (status == 0 && run->guard.pid)
		confirm_guard_applied(&run->guard);
	return status;
}

int run_apply(struct run *run, const struct desired *desired, const struct options *options,
	      struct error *error)
{
	struct lookups *lookups = lookups_new(NULL, NULL, NULL);
	int status = run_apply_pass(run, desired, lookups, options, error);
	lookups_free(lookups);
	return status;
}

static int conclude_json(struct run *run, const struct confirm_result *result,
			 const struct options *options)
{
	json_t *document = run_json(run, options);
	json_put(document, "confirmed", json_boolean(result->confirmed));
	if (result->broken)
		json_put(document, "not_reverted", json_text(result->words));
	return json_finish(document, run->exit_code);
}

static void fault_reverted(struct run *run, const struct confirm_result *result,
			   const struct options *options)
{
	char within[64];
	snprintf(within, sizeof(within), "not confirmed within %u s", options->confirm_seconds);
	error_set(&run->fault, 0, "rolled back: %s; %s", result->cancelled ? "cancelled" : within,
		  result->broken ? "the rollback is incomplete" : "the previous state is restored");
	error_code(&run->fault, result->broken ? CODE_NOT_REVERTED : CODE_REVERTED);
	if (result->broken)
		error_hint(&run->fault, "`mvapply diff` shows what differs from the file now");
}

static void conclude_text(const struct run *run, const struct confirm_result *result,
			  const struct options *options)
{
	if (result->confirmed) {
		fputs(options->quiet ? "" : "Confirmed.\n", stdout);
		return;
	}
	fputs(result->words, stderr);
	text_error(&run->fault);
}

/* ENTER is offered only if it can be read. */
static void confirm_prompt(const struct keyboard *keyboard, unsigned seconds)
{
	__attribute__((cleanup(arena_cleanup))) struct arena *arena = arena_new();
	const char *text = arena_printf(
		arena,
		"to confirm, %srun `mvapply confirm` or send SIGUSR1 to %ld; otherwise the changes "
		"are rolled back in %u s",
		keyboard->foreground ? "press ENTER, " : "", (long)getpid(), seconds);
	fprintf(stderr, "%s\n", terminal_wrap(arena, stderr, "mvapply: ", 4, text));
}

int run_conclude(struct run *run, const struct desired *desired, const struct options *options)
{
	if (!run->guard.pid)
		return run_report(run, desired, options);
	if (options->output == OUTPUT_TEXT)
		run_report(run, desired, options);
	fflush(stdout);
	struct keyboard keyboard = keyboard_open();
	confirm_prompt(&keyboard, options->confirm_seconds);
	const struct confirm_result result =
		confirm_guard_wait(&run->guard, &keyboard, &run->job, run->arena);
	if (!result.confirmed) {
		run->exit_code = result.broken ? EXIT_FAILED : EXIT_REVERTED;
		fault_reverted(run, &result, options);
	} else {
		apply_name_servers_remove(run->plan, run->outcomes);
	}
	if (options->output == OUTPUT_JSON)
		return conclude_json(run, &result, options);
	conclude_text(run, &result, options);
	return run->exit_code;
}

int run_once(run_pass *pass, const struct desired *desired, const struct options *options)
{
	struct run run;
	struct error error;
	if (pass(&run, desired, options, &error) < 0)
		return run_error(&error, options);
	int code = run_conclude(&run, desired, options);
	run_free(&run);
	return code;
}
