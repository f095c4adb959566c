#include "cmd/commands.h"
#include "cmd/docker_plugin/networks.h"
#include "cmd/exit.h"
#include "cmd/input.h"
#include "cmd/output.h"
#include "cmd/output_json.h"
#include "cmd/run.h"
#include "cmd/saved_plan.h"
#include "cmd/service_socket.h"

#include <time.h>

#define WAIT_INTERVAL_MS 200

static double now_seconds(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void sleep_interval(void)
{
	nanosleep(&(struct timespec){.tv_nsec = WAIT_INTERVAL_MS * 1000000L}, NULL);
}

static bool pending(const struct run *run)
{
	return run->outcomes && !run->failed && plan_count(run->plan, ACTION_PENDING) > 0;
}

static void wait_over(struct run *run, const struct options *options)
{
	size_t count = plan_count(run->plan, ACTION_PENDING);
	error_set(&run->fault, 0, "%zu attachment%s still pending after %u s", count,
		  count == 1 ? "" : "s", options->wait_seconds);
	error_hint(&run->fault, "start their containers, or wait longer with --wait=SECONDS");
	error_code(&run->fault, CODE_STILL_PENDING);
	run->exit_code = EXIT_FAILED;
}

/* Text reports each pass with changes, and the first and last one; JSON is one document at the
 * end. */
static bool writes_pass(const struct run *run, const struct options *options, bool first, bool last)
{
	return last || (options->output == OUTPUT_TEXT && (first || !plan_empty(run->plan)));
}

static void earlier_add(json_t *earlier, const struct run *run)
{
	json_t *steps = json_steps_done(run->plan, run->outcomes);
	json_array_extend(earlier, steps);
	json_decref(steps);
}

/* Repeats passes until nothing is pending. `earlier` collects the steps of all passes but the
 * last. */
static int apply_passes(const struct desired *desired, struct lookups *lookups,
			const struct options *options, json_t *earlier)
{
	double end = now_seconds() + options->wait_seconds;
	for (bool first = true;; first = false) {
		struct run run;
		struct error error;
		if (run_apply_pass(&run, desired, lookups, options, &error) < 0)
			return run_error_after(&error, earlier, options);
		run.earlier = earlier;
		bool repeat = options->wait && pending(&run), over = repeat && now_seconds() >= end;
		int code = run.exit_code;
		if (over)
			wait_over(&run, options);
		if (writes_pass(&run, options, first, !repeat || over))
			code = run_conclude(&run, desired, options);
		repeat = repeat && !over;
		if (repeat && options->output == OUTPUT_JSON)
			earlier_add(earlier, &run);
		run_free(&run);
		if (!repeat)
			return code;
		sleep_interval();
	}
}

int command_diff(const struct options *options)
{
	if (options->out)
		return plan_save(options);
	struct desired *desired = input_read(options);
	if (!desired)
		return EXIT_USAGE;
	struct options reporting = *options;
	docker_networks_report(desired, &reporting);
	int code = run_once(run_observe, desired, &reporting);
	desired_free(desired);
	return code;
}

/* One confirmation is for one plan, so there is one pass. */
static int confirm_and_wait(const struct options *options)
{
	return usage_error(options, CODE_TOGETHER,
			   "run `mvapply apply --wait` first, then `mvapply apply --confirm`",
			   "--confirm and --wait cannot be combined");
}

int command_apply(const struct options *options)
{
	if (options->confirm_seconds && options->wait)
		return confirm_and_wait(options);
	if (options->n_words)
		return plan_apply(options);
	if (options->dry_run)
		return command_diff(options);
	struct desired *desired = input_read(options);
	if (!desired)
		return EXIT_USAGE;
	struct options reporting = *options;
	struct keepers keepers = keepers_report(desired, &reporting);
	json_t *earlier = json_array();
	struct lookups *lookups = lookups_new(NULL, NULL, NULL);
	int code = apply_passes(desired, lookups, &reporting, earlier);
	lookups_free(lookups);
	keepers_free(&keepers);
	json_decref(earlier);
	desired_free(desired);
	return code;
}
