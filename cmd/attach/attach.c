#include "cmd/attach/attach.h"

#include "cmd/exit.h"
#include "cmd/run.h"
#include "lib/cleanup.h"
#include "lib/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <time.h>
#include <unistd.h>

/* For a parent that does not exist yet, or is not up: after a boot, containers start before the
 * last link. */
#define PATIENCE_MS 10000
#define PAUSE_MS    100

/* Only this can end without a change of the files. */
static bool parent_unready(const struct run *run, const struct containers *containers)
{
	for (size_t i = 0; i < run->plan->n_steps; i++) {
		const struct step *step = &run->plan->steps[i];
		if (step->action == ACTION_BLOCKED &&
		    (step->code == CODE_PARENT_ABSENT || step->code == CODE_PARENT_DOWN) &&
		    containers_have(containers, step))
			return true;
	}
	return false;
}

/* An attachment waits for its network; the network's step has the reason. */
static const struct step *cause_of(const struct plan *plan, const struct step *step)
{
	for (size_t i = 0; i < plan->n_steps; i++)
		if (plan->steps[i].tag->role == ROLE_NONE &&
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

bool attach_step_error(const struct run *run, const struct step *step, struct error *error)
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

/* A runtime reads the streams until their last holder has closed them. */
static void streams_leave(void)
{
	cleanup_close const int nothing = open("/dev/null", O_RDWR | O_CLOEXEC);
	for (int fd = STDIN_FILENO; nothing >= 0 && fd <= STDERR_FILENO; fd++)
		(void)dup2(nothing, fd);
}

/* In a process of its own, for which the runtime does not wait: all links on the parent hear an
 * announcement before it is over, which takes milliseconds where there are a thousand. The lock is
 * free by then. */
static void announce_aside(const struct run *run, const struct attach_job *job)
{
	if (job->handed_over || !run->outcomes || !apply_unannounced(run->plan, run->outcomes))
		return;
	const pid_t child = fork();
	if (child == 0)
		streams_leave();
	if (child <= 0)
		apply_announce(run->plan, run->outcomes, run->live);
	if (child == 0)
		_exit(0);
}

static bool has_failed(const struct run *run, const struct containers *containers)
{
	struct error ignored;
	for (size_t i = 0; i < run->plan->n_steps; i++)
		if (containers_have(containers, &run->plan->steps[i]) &&
		    attach_step_error(run, &run->plan->steps[i], &ignored))
			return true;
	return false;
}

/* The error of a run with an excerpt of the files may be another one with all of them. */
static int excerpt_fail(struct run *run, struct error *error)
{
	run_free(run);
	return error_set(error, ESTALE, "the attachment was not made");
}

int attach_run(const struct attach_job *job, attach_report *report, void *data, struct error *error)
{
	struct options only = *job->options;
	only.only = &job->containers;
	only.plan.partial = true;
	only.handed_over = job->handed_over;
	for (const int64_t end = clock_milliseconds() + PATIENCE_MS;;) {
		struct run run;
		const int status = run_apply_pass(&run, job->desired, job->lookups, &only, error);
		if (status < 0)
			return status;
		if (job->desired->excerpt && has_failed(&run, &job->containers)) {
			announce_aside(&run, job); /* what another container got */
			return excerpt_fail(&run, error);
		}
		const bool repeat =
			parent_unready(&run, &job->containers) && clock_milliseconds() < end;
		const int code = repeat ? 0 : report(data, &run, job);
		announce_aside(&run, job);
		run_free(&run);
		if (!repeat)
			return code;
		nanosleep(&(struct timespec){.tv_nsec = PAUSE_MS * 1000000L}, NULL);
	}
}
