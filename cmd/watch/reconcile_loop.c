#include "cmd/exit.h"
#include "cmd/watch/internal.h"
#include "kernel/nsid.h"
#include "lib/clock.h"
#include "reconcile/apply/plan_done.h"
#include "reconcile/observe/nsid_assign.h"
#include "schema/words.h"

#include <poll.h>
#include <stdint.h>
#include <time.h>

/* The number of consecutive plans after which the service reports that it is not converging. */
#define PASSES_MAX 4

/* After a pass that failed as a whole. */
#define PASS_RETRY_MS 1000

/* The time limit for the destruction of a namespace. */
#define DEATH_MS 100

static double seconds_now(clockid_t clock)
{
	struct timespec now;
	clock_gettime(clock, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* False: more than the contents of a few known namespaces has to be read. */
static bool observe_active(struct service *service)
{
	struct live_ns *stale[ACTIVE_MAX];
	size_t count = 0;
	if (!service->live || service->next || service->wide || !service->active.some)
		return false;
	for (size_t i = 0; i < service->active.count; i++)
		if (service->active.namespaces[i]->stale)
			stale[count++] = service->active.namespaces[i];
	return observe_in_place(service->live, service->lookups, stale, count);
}

/* The desired state of an observation must be valid until the next observation is done. */
static bool pass_observe(struct service *service, struct error *error)
{
	if (observe_active(service))
		return true;
	struct desired *desired = service->next ? service->next : service->desired;
	struct live *before = service->live;
	service->wide |= !before;
	service->unsearched |= !before;
	service_nsids_forget(service);
	active_all(&service->active);
	service->live = !before         ? observe(desired, service->lookups, error)
			: service->wide ? observe_widely(before, desired, service->lookups, error)
					: observe_stale(before, desired, service->lookups, error);
	service->complete |= service->wide;
	service->searched |= service->wide && service->live && !service->live->n_unreadable;
	service->wide = false;
	if (service->next) {
		desired_free(service->desired);
		service->desired = service->next;
		service->next = NULL;
	}
	return service->live != NULL;
}

/* Before an observation: permanent failures are retried. */
static void containers_retry(struct service *service)
{
	char key[SOURCE_KEY_SIZE];
	for (size_t i = 0; service->live && i < service->live->n_containers; i++) {
		struct container_lookup *lookup = &service->live->container_lookups[i];
		if (lookup->state == CONTAINER_FAILED && !source_is_engines(lookup) &&
		    !retry_deferred(service->retry, container_key(lookup, key),
				    service->deferred_at))
			service_lookup_stale(service, lookup);
	}
	service_engines_retry(service);
}

/* After an observation: repeated failures get a longer delay. */
static void containers_failed(struct service *service)
{
	char key[SOURCE_KEY_SIZE];
	for (size_t i = 0; i < service->live->n_containers; i++) {
		const struct container_lookup *lookup = &service->live->container_lookups[i];
		if (lookup->state == CONTAINER_FAILED && !source_is_engines(lookup) &&
		    !retry_deferred(service->retry, container_key(lookup, key),
				    service->deferred_at))
			retry_failed(service->retry, key, service->deferred_at);
	}
}

/* No event reports changes in the namespace: it is read again before anything is chosen
 * (observe_knows_all). */
static void namespace_unnumbered(void *data, const struct live_ns *ns, const struct error *error)
{
	struct service *service = data;
	char key[SOURCE_KEY_SIZE];
	log_write(&service->log, LEVEL_WARNING,
		  "cannot monitor %s: no namespace id could be assigned: %s; it will be retried",
		  ns->name, error->text);
	retry_failed(service->retry, namespace_key(ns, key), service->deferred_at);
	service->searched = false;
}

/* The kernel reports events of namespaces with an nsid. Returns whether one of them has to be read
 * again. */
static bool namespaces_number(struct service *service)
{
	if (service->active.some)
		return false;
	service_nsids_forget(service);
	return nsids_assign(service->live, namespace_unnumbered, service) > 0;
}

/* Before an observation: retried namespaces are stale, and may have another name now. A stale one
 * is read anyway: its nsid may be gone for that reason. */
static void namespaces_retry(struct service *service)
{
	char key[SOURCE_KEY_SIZE];
	for (size_t i = 0; service->live && i < service->live->n_namespaces; i++) {
		const struct live_ns *ns = service->live->namespaces[i];
		if (namespace_unmonitored(ns) && !ns->stale &&
		    !retry_deferred(service->retry, namespace_key(ns, key), service->deferred_at))
			service_mark_stale(service);
	}
}

/* A namespace that lost its container's name before the service knew it may have an address or MAC
 * that is chosen: descriptors are searched once after a full observation, as that takes long. */
static struct selection plan_searched(struct service *service, struct selection selection,
				      bool *ret_repeat)
{
	const bool found = service->unsearched && observe_descriptors(service->live);
	service->unsearched = false;
	if (!found)
		return selection;
	planned_free(&selection);
	active_all(&service->active);
	*ret_repeat |= namespaces_number(service);
	return service_plan(service);
}

/* A namespace that changes without end is read only sometimes, but before anything is chosen that
 * another set may have given a container there meanwhile. */
static void deferred_mark_stale(struct service *service)
{
	for (size_t i = 0; i < active_count(&service->active, service->live); i++) {
		struct live_ns *ns = active_at(&service->active, service->live, i);
		ns->stale |= ns->rate_limited && ns->tagged;
		ns->tagged = false;
	}
}

/* Whether a search for unknown namespaces finds none: then the plan stands. Events and namespaces
 * that were left out need an observation. */
static bool all_is_known(struct service *service)
{
	for (size_t i = 0; i < active_count(&service->active, service->live); i++) {
		const struct live_ns *ns = active_at(&service->active, service->live, i);
		if (ns->rate_limited && ns->tagged)
			return false;
	}
	if (service->lost)
		return false;
	if (!service->searched) {
		service->searched = observe_knows_all(service->live, mounts_table(service->mounts));
		if (!service->searched)
			active_all(&service->active);
	}
	return service->searched;
}

/* An observation and its plan; no plan with an error. *ret_repeat: a part has to be read once more.
 * No event reports changes in a namespace that is not known yet, such as another set's container.
 * So before anything is chosen, all namespaces are searched, once in a pass: the lock prevents
 * other mvapply processes from choosing meanwhile. `part`: the plan may be one of a part, if it is
 * going to be applied and another one follows. */
static struct selection observe_and_plan(struct service *service, bool part, bool *ret_repeat,
					 struct error *error)
{
	for (;; part = false) {
		if (!pass_observe(service, error))
			return (struct selection){.plan = NULL};
		*ret_repeat |= namespaces_number(service);
		struct selection selection = {.plan = NULL};
		if (part)
			selection = service_plan_part(service);
		if (!selection.plan)
			selection = service_plan(service);
		if (!selection_chooses(&selection))
			return selection;
		if (!service->complete)
			service->complete = all_is_known(service);
		if (service->complete && !service->lost)
			return plan_searched(service, selection, ret_repeat);
		planned_free(&selection);
		service->wide = true;
		deferred_mark_stale(service);
		if (service->lost)
			service_mark_stale(service);
	}
}

static struct selection pass_plan(struct service *service, bool part, struct leases *ret_leases,
				  bool *ret_repeat, struct error *error)
{
	struct selection selection = observe_and_plan(service, part, ret_repeat, error);
	if (!selection.plan)
		return selection;
	service_probe(service, &selection);
	*ret_leases = service_lease(service, &selection);
	return selection_defer(&selection, service->live, selection.arena);
}

static void pass_apply(struct service *service, const struct selection *selection,
		       const struct leases *leases, bool drift)
{
	const struct plan *plan = selection->plan;
	struct selection reported = selection_copy(selection, selection->arena);
	struct outcome *outcomes = outcomes_new(plan->n_steps);
	apply(selection, service->live,
	      &(struct apply_options){.broker = service->options->broker, .leases = leases},
	      outcomes);
	service->metrics.last_apply = seconds_now(CLOCK_REALTIME);
	for (size_t i = 0; i < plan->n_steps; i++)
		reported.selected[i] =
			selection->selected[i] &&
			service_step_done(service, &plan->steps[i], &outcomes[i], drift);
	reported.plan = plan_done(plan, outcomes, selection->arena);
	report_steps(service, &reported, outcomes);
	outcomes_free(outcomes, plan->n_steps);
}

static void not_converging(struct service *service, const struct selection *selection)
{
	char key[STEP_RETRY_KEY_SIZE];
	for (size_t i = 0; i < selection->plan->n_steps; i++) {
		const struct step *step = &selection->plan->steps[i];
		if (selection_has(selection, step))
			service_step_paused(service, step,
					    retry_contested(service->retry,
							    step_retry_key(step, key),
							    clock_milliseconds()));
	}
}

bool service_reopen(struct service *service, const struct selection *selection)
{
	for (size_t i = 0; i < selection->plan->n_steps; i++) {
		const struct step *step = &selection->plan->steps[i];
		if (!selection_has(selection, step))
			continue;
		if (step->ns)
			active_add(&service->active, step->ns);
		if (step->desired && step->desired->ns)
			active_add(&service->active, step->desired->ns);
	}
	const bool opened = observe_reopen(service->live, service->lookups, selection);
	if (!opened)
		active_all(&service->active);
	return opened;
}

/* Whether the plan may be applied. */
static bool pass_allowed(const struct selection *selection)
{
	return !selection->plan->guard.refused && selection_count(selection) > 0;
}

static bool container_changed(const struct service *service)
{
	const struct live *live = service->live;
	for (size_t i = 0; !service->active.some && i < live->n_containers; i++)
		if (live->container_lookups[i].stale)
			return true;
	return false;
}

/* The kernel reports the end of a namespace a moment after its name is gone. */
static bool netns_death_wait(struct service *service)
{
	struct pollfd poller = {.fd = monitor_fd(service->monitor), .events = POLLIN};
	int64_t end = clock_milliseconds() + DEATH_MS;
	service->netns_died = false;
	for (int64_t left = DEATH_MS; service->live && !service->netns_died && left > 0;
	     left = end - clock_milliseconds())
		if (poll(&poller, 1, (int)left) > 0)
			service_read_events_locked(service, NULL);
	return service->live && service->netns_died;
}

static bool still_pending(const void *data, const char *key)
{
	return retry_keys_have(data, key);
}

/* Steps that are not needed any more, or impossible, are not retried. */
static void retries_keep(struct service *service, const struct plan *plan)
{
	struct retry_keys *keys = retry_keys_find(plan, service->live);
	retry_keep(service->retry, still_pending, keys, service->deferred_at);
	retry_keep(service->rate_credits, still_pending, keys, service->deferred_at);
	retry_keys_free(keys);
}

/* Whether another observation finds the state that needed nothing. Without the lock, too, as
 * nothing follows from it. */
static bool still_converged(struct service *service)
{
	struct error ignored;
	if (!service->converged || service->wide || !service->live || container_changed(service))
		return false;
	return pass_observe(service, &ignored) && service_is_converged(service);
}

/* One observation and one plan; true: the plan was applied, and its result has to be observed. */
static bool pass(struct service *service, unsigned number, bool drift, struct error *error)
{
	bool repeat = false;
	struct leases leases;
	if (number > 0 && still_converged(service))
		return false;
	const struct selection selection = pass_plan(service, number == 0, &leases, &repeat, error);
	const struct plan *plan = selection.plan;
	if (!plan)
		return false;
	report_start(service);
	report_undeclared_set(service, plan);
	bool allowed = pass_allowed(&selection);
	if (allowed && number == PASSES_MAX) {
		not_converging(service, &selection);
		repeat = false;
	} else if (allowed && service_reopen(service, &selection)) {
		pass_apply(service, &selection, &leases, drift);
		service_read_events_locked(service, &selection);
		repeat = true;
	} else if (allowed) {
		/* A destroyed namespace needs nothing; one that persists without a name is found
		 * only by a full observation. */
		if (!container_changed(service) && !netns_death_wait(service))
			service_mark_stale(service);
		repeat = true;
	}
	if (!repeat) {
		containers_failed(service);
		retries_keep(service, plan);
		if (!retry_count(service->retry))
			service->refused.count = 0;
		report_notices(service, plan, service->live);
		report_state(service, &selection);
		service_remember_converged(service, &selection);
	}
	planned_free(&selection);
	if (service->unsure) {
		service_nsids_forget(service);
		active_all(&service->active);
		live_free(service->live);
		service->live = NULL;
	}
	service->unsure = false;
	return repeat;
}

static void lock_waits(const char *sentence, void *data)
{
	const struct service *service = data;
	log_write(&service->log, LEVEL_NOTICE, "%s", sentence);
}

/* The holder of the lock may have a query. */
static void clients_serve(void *data)
{
	const struct service *service = data;
	loop_dispatch(service->clients);
}

/* A failure that repeats each second is reported once. While descriptors are short, some passes
 * succeed. */
static void pass_failure_report(struct service *service, const struct error *error)
{
	if (error && error->code == CODE_DESCRIPTORS)
		report_descriptors(service);
	else if (error &&
		 (service->failure.code != error->code || service->failure.errnum != error->errnum))
		log_error(&service->log, LEVEL_ERROR, NULL, error);
	if (error)
		service->failure = (struct failure){error->code, error->errnum};
	else if (!service->live->n_unreadable)
		service->failure = (struct failure){.code = CODE_NONE};
}

static void reconcile_passes(struct service *service, bool drift)
{
	struct error error;
	struct apply_lock lock;
	service_read_events(service);
	const struct lock_wait wait = {.note = lock_waits,
				       .data = service,
				       .fd = loop_fd(service->clients),
				       .serve = clients_serve};
	service->failed = apply_lock(&lock, &wait, &error) < 0;
	if (!service->failed) {
		log_defer(&service->log);
		/* Changes of other processes during the wait for the lock. */
		service_read_events_locked(service, NULL);
		service->complete = false;
		for (unsigned number = 0; pass(service, number, drift, &error); number++)
			;
		apply_unlock(&lock);
		log_release(&service->log);
		service->failed = !service->live;
	}
	pass_failure_report(service, service->failed ? &error : NULL);
}

static void retry_timer_set(struct service *service)
{
	int64_t now = clock_milliseconds(), next = retry_next(service->retry, service->deferred_at);
	int64_t left = next > now ? next - now : 0;
	if (service->failed)
		loop_timer_set(service->loop, &service->retry_timer, PASS_RETRY_MS);
	else
		loop_timer_set(service->loop, &service->retry_timer, next < 0 ? -1 : left);
}

static void metrics_update(struct service *service)
{
	struct error error;
	if (service->options->metrics &&
	    metrics_write(&service->metrics, service->options->metrics, &error) < 0)
		log_error(&service->log, LEVEL_WARNING, NULL, &error);
}

/* Closes the namespaces that the pass has opened. */
static void pass_end(struct service *service)
{
	for (size_t i = 0; i < active_count(&service->active, service->live); i++) {
		struct live_ns *ns = active_at(&service->active, service->live, i);
		if (!ns->host)
			namespace_release(ns);
	}
	if (!service->active.some)
		service_init_poll(service);
	if (service->live)
		active_finish(&service->active, service->live);
}

/* While nothing is retried, the contents of namespaces alone can have changed. */
static void retries_begin(struct service *service)
{
	if (service->converged && !service->next)
		return;
	service_engines_update(service);
	containers_retry(service);
	namespaces_retry(service);
}

static void reconcile(struct service *service)
{
	double start = seconds_now(CLOCK_MONOTONIC);
	bool drift = service->live && !service->next;
	service->deferred_at = clock_milliseconds();
	retries_begin(service);
	if (!still_converged(service))
		reconcile_passes(service, drift);
	pass_end(service);
	retry_timer_set(service);
	metrics_observe(&service->metrics, seconds_now(CLOCK_MONOTONIC) - start);
}

void service_reconcile(void *data)
{
	struct service *service = data;
	if (!service->dirty)
		return;
	service->dirty = false;
	if (service_has_configuration(service))
		reconcile(service);
	else
		report_waiting();
	metrics_update(service);
}
