/* The outcome of a step: what is read again, and when the step is done again. */
#include "cmd/watch/internal.h"
#include "lib/clock.h"
#include "lib/hash.h"

#include <errno.h>

/* The namespaces of executed steps are read again, while they are still open. */
static void step_touched(struct service *service, const struct step *step)
{
	if (step->ns)
		service_ns_stale(service, step->ns);
	if (step->desired && step->desired->ns)
		service_ns_stale(service, step->desired->ns);
}

/* A failure because of an unknown object: the next observation reads everything, unless the object
 * may belong to a namespace that is being destroyed, which the next pass decides. A MAC that is
 * still refused after that is not chosen again. Returns whether the failure is to be reported: not
 * again as long as its reason stays the same. */
static bool step_failed(struct service *service, const struct step *step,
			const struct outcome *outcome)
{
	char key[STEP_RETRY_KEY_SIZE];
	const int64_t now = clock_milliseconds();
	step_retry_key(step, key);
	if (!outcome->cut && outcome_busy(outcome) && retry_busy(service->retry, key, now))
		return false;
	service->metrics.failures++;
	/* Each attempt interrupts the live link. */
	if (outcome->cut)
		report_cut(service, step, retry_contested(service->retry, key, now));
	else
		retry_failed(service->retry, key, now);
	if (outcome_busy(outcome))
		refused_macs_add(&service->refused, &step->desired->mac);
	if (outcome->error->errnum == EADDRINUSE || outcome->error->errnum == EEXIST)
		service->unsure = true;
	return outcome->cut ||
	       retry_reason_new(service->retry, key, hash_text(HASH_START, outcome->error->text));
}

void service_step_paused(struct service *service, const struct step *step, int64_t pause)
{
	if (pause)
		log_write(&service->log, LEVEL_WARNING,
			  "%s does not stay as configured: another program may change it; the next "
			  "attempt is in %g s",
			  step->name, (double)pause / 1000);
}

static void step_worked(struct service *service, const struct step *step, bool drift)
{
	char key[STEP_RETRY_KEY_SIZE];
	step_retry_key(step, key);
	if (drift)
		service_step_paused(service, step,
				    retry_repaired(service->retry, key, clock_milliseconds()));
	else
		retry_forget(service->retry, key);
}

bool service_step_done(struct service *service, const struct step *step,
		       const struct outcome *outcome, bool drift)
{
	step_touched(service, step);
	if (outcome->state == OUTCOME_DEFERRED)
		return true;
	service->metrics.operations++;
	service->metrics.repaired += drift;
	if (outcome->state == OUTCOME_FAILED)
		return step_failed(service, step, outcome);
	step_worked(service, step, drift);
	return true;
}
