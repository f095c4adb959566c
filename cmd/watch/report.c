#include "cmd/output_json.h"
#include "cmd/output_text.h"
#include "cmd/undeclared_set.h"
#include "cmd/watch/internal.h"
#include "cmd/watch/notices.h"
#include "cmd/watch/sd_notify.h"
#include "lib/json_text.h"
#include "lib/memory.h"
#include "reconcile/observe/observe.h"

#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

static const char *const verbs[] = {
	[ACTION_CREATE] = "created",  [ACTION_CHANGE] = "changed",  [ACTION_REPLACE] = "replaced",
	[ACTION_DELETE] = "deleted",  [ACTION_KEPT] = "kept",       [ACTION_PENDING] = "pending",
	[ACTION_BLOCKED] = "blocked", [ACTION_REFUSED] = "refused",
};

static bool with_set(const struct service *service)
{
	return service->desired->n_sets > 1;
}

/* "created attach web/lan eth0 172.16.86.2/24" */
static const char *step_text(const struct service *service, struct arena *arena,
			     const struct step *step)
{
	const char *detail = text_detail(arena, step, false);
	return arena_printf(arena, "%s %s %s%s%s", verbs[step->action], step_noun(step),
			    step_id(arena, step, with_set(service)), *detail ? "  " : "", detail);
}

static void step_log(const struct service *service, enum log_level level, const struct step *step,
		     const struct outcome *outcome, const char *message)
{
	json_t *fields = service->log.json ? json_step(step, outcome) : NULL;
	log_write_fields(&service->log, level, message, fields);
}

static void failure_log(const struct service *service, struct arena *arena, const struct step *step,
			const struct outcome *outcome)
{
	const struct error *error = outcome->error;
	step_log(service, LEVEL_ERROR, step, outcome,
		 arena_printf(arena, "%s %s: %s%s%s", step_noun(step),
			      step_id(arena, step, with_set(service)),
			      coded(arena, error->text, error->code),
			      *error->hint ? "; hint: " : "", error->hint));
}

void report_failure(struct service *service, const struct step *step, const struct outcome *outcome)
{
	__attribute__((cleanup(arena_cleanup))) struct arena *arena = arena_new();
	failure_log(service, arena, step, outcome);
}

void report_cut(struct service *service, const struct step *step, int64_t pause)
{
	__attribute__((cleanup(arena_cleanup))) struct arena *arena = arena_new();
	log_write(&service->log, LEVEL_WARNING,
		  "%s %s: the link that it replaces was interrupted and is restored; the next "
		  "attempt is in %g s",
		  step_noun(step), step_id(arena, step, with_set(service)), (double)pause / 1000);
}

void report_steps(struct service *service, const struct selection *reported,
		  const struct outcome *outcomes)
{
	const struct plan *plan = reported->plan;
	__attribute__((cleanup(arena_cleanup))) struct arena *arena = arena_new();
	for (size_t i = 0; i < plan->n_steps; i++) {
		const struct step *step = &plan->steps[i];
		if (!selection_has(reported, step))
			continue;
		if (outcomes[i].state == OUTCOME_FAILED &&
		    outcomes[i].error->code == CODE_DESCRIPTORS)
			continue; /* one warning reports all (live.unseen) */
		if (outcomes[i].state == OUTCOME_FAILED)
			failure_log(service, arena, step, &outcomes[i]);
		else if (outcomes[i].state == OUTCOME_DONE)
			step_log(service, LEVEL_INFO, step, &outcomes[i],
				 step_text(service, arena, step));
		if (outcomes[i].note)
			log_write(&service->log, LEVEL_WARNING, "%s %s: %s", step_noun(step),
				  step_id(arena, step, with_set(service)), outcomes[i].note);
	}
}

/* Whether the shortage of descriptors was reported already. Some observations succeed and others do
 * not, so the warning is repeated only when the limit or the files have changed. Records it as
 * reported. */
static bool descriptors_reported(struct service *service)
{
	struct rlimit limit = {0};
	(void)getrlimit(RLIMIT_NOFILE, &limit);
	const struct descriptors_short now = {.limit = limit.rlim_cur, .content = service->content};
	const bool reported = service->descriptors.limit == now.limit &&
			      service->descriptors.content == now.content;
	service->descriptors = now;
	return reported;
}

void report_descriptors(struct service *service)
{
	__attribute__((cleanup(arena_cleanup))) struct arena *arena = arena_new();
	if (!descriptors_reported(service))
		log_write(&service->log, LEVEL_WARNING, "%s", descriptors_short(arena));
}

static enum log_level notice_level(enum action action)
{
	return action == ACTION_PENDING || action == ACTION_KEPT ? LEVEL_INFO : LEVEL_WARNING;
}

static void guard_log(const struct service *service, const struct guard *guard)
{
	char code[CODE_TEXT_SIZE];
	log_write(&service->log, LEVEL_WARNING,
		  "held: this would delete %zu of the %zu live attachments of the set \"%s\" [%s]; "
		  "hint: %sto delete them, start with --max-delete=%zu, or run `mvapply apply` "
		  "with it once",
		  guard->deletes, guard->live, guard->set, code_format(CODE_GUARD, code),
		  guard->other_file
			  ? "the files declare no live container of that set: set another `name:` "
			    "in them, or pass the set's other files with -f as well; "
			  : "",
		  guard->deletes);
}

static void notices_report(struct service *service, struct notices *now, const struct plan *plan)
{
	__attribute__((cleanup(arena_cleanup))) struct arena *arena = arena_new();
	for (size_t i = 0; i < plan->n_warnings; i++)
		if (notice_warning(now, service->reported, &plan->warnings[i]))
			log_write(&service->log, LEVEL_WARNING, "%s",
				  coded(arena, warning_text(&plan->warnings[i], arena),
					warning_code(plan->warnings[i].kind)));
	for (size_t i = 0; i < plan->n_steps; i++) {
		const struct step *step = &plan->steps[i];
		/* Namespaces that no descriptor was left for are reported by one warning
		 * (live.unreadable). */
		if (!step->reason || step->engine_pending || step->code == CODE_DESCRIPTORS ||
		    !notice_step(now, service->reported, step))
			continue;
		step_log(service, notice_level(step->action), step, NULL,
			 arena_printf(arena, "%s%s%s", step_text(service, arena, step),
				      step->hint ? "; hint: " : "", step->hint ? step->hint : ""));
	}
	if (plan->guard.refused && notice_guard(now, service->reported, &plan->guard))
		guard_log(service, &plan->guard);
}

static bool unreadable_known(struct service *service, struct notices *now,
			     const struct unreadable *unreadable)
{
	if (unreadable->kind == UNREADABLE_DESCRIPTORS && descriptors_reported(service))
		return true;
	return !notice_unreadable(now, service->reported, unreadable);
}

/* Most hosts have processes in namespaces of their own that the unit's capabilities do not open,
 * and that hold no managed links. */
static enum log_level unreadable_level(const struct unreadable *unreadable)
{
	return unreadable->kind == UNREADABLE_PROCESSES ? LEVEL_NOTICE : LEVEL_WARNING;
}

void report_notices(struct service *service, const struct plan *plan, const struct live *live)
{
	struct notices *now = notices_new();
	for (size_t i = 0; i < live->n_unreadable; i++)
		if (!unreadable_known(service, now, &live->unreadable[i]))
			log_write(&service->log, unreadable_level(&live->unreadable[i]), "%s",
				  live->unreadable[i].text);
	notices_report(service, now, plan);
	notices_free(service->reported);
	service->reported = now;
}

static void undeclared_set_log(struct service *service, const char *set, const char *text)
{
	if (service->left && strcmp(service->left, set) == 0)
		return;
	free(service->left);
	service->left = memory_or_die(strdup(set));
	log_write(&service->log, LEVEL_WARNING, "%s", text);
}

void report_undeclared_set(struct service *service, const struct plan *plan)
{
	__attribute__((cleanup(arena_cleanup))) struct arena *arena = arena_new();
	struct warning warning;
	if (undeclared_set_warning(plan, &warning))
		undeclared_set_log(service, plan->left.set, warning_text(&warning, arena));
}

static bool names_set(const struct desired *desired, const char *set)
{
	for (size_t i = 0; i < desired->n_sets; i++)
		if (strcmp(desired->sets[i].name, set) == 0)
			return true;
	return false;
}

static bool is_live(const struct live *live, const char *set)
{
	for (size_t i = 0; live && i < live->n_namespaces; i++)
		for (size_t k = 0; k < live->namespaces[i]->n_links; k++)
			if (owner_tag_has_set(&live->namespaces[i]->links[k].tag, set))
				return true;
	return false;
}

void report_sets_no_longer_declared(struct service *service, const struct desired *before,
				    const struct desired *after)
{
	__attribute__((cleanup(arena_cleanup))) struct arena *arena = arena_new();
	for (size_t i = 0; before && i < before->n_sets; i++) {
		const char *set = before->sets[i].name;
		if (!names_set(after, set) && is_live(service->live, set))
			undeclared_set_log(
				service, set,
				arena_printf(arena,
					     "set \"%s\" is no longer in the files, and its live "
					     "objects stay; %s",
					     set, undeclared_set_remedy(set, arena)));
	}
}

static size_t count_live(const struct live *live, enum role role)
{
	size_t count = 0;
	for (size_t i = 0; i < live->n_namespaces; i++)
		for (size_t k = 0; k < live->namespaces[i]->n_links; k++)
			count += live->namespaces[i]->links[k].tag.role == role &&
				 live->namespaces[i]->links[k].parent_where == PARENT_HOST;
	return count;
}

/* "a, b" */
static const char *list_text(struct arena *arena, const char *const *items, size_t count)
{
	const char *text = "";
	for (size_t i = 0; i < count; i++)
		text = arena_printf(arena, "%s%s%s", text, i ? ", " : "", items[i]);
	return text;
}

static void start_log(const struct service *service)
{
	__attribute__((cleanup(arena_cleanup))) struct arena *arena = arena_new();
	const struct options *options = service->options;
	const size_t n_sets = service->desired->n_sets,
		     live = count_live(service->live, ROLE_ATTACH);
	const char **sets = arena_alloc(arena, (n_sets + 1) * sizeof(*sets));
	for (size_t i = 0; i < n_sets; i++)
		sets[i] = service->desired->sets[i].name;
	log_write_fields(&service->log, LEVEL_NOTICE,
			 arena_printf(arena,
				      "started mvapply " VERSION
				      "; files: %s; sets: %s; live attachments: "
				      "%zu",
				      list_text(arena, options->files, options->n_files),
				      list_text(arena, sets, n_sets), live),
			 json_pack("{s:s, s:o, s:o, s:I}", "mvapply", VERSION, "files",
				   json_sentences(options->files, options->n_files), "sets",
				   json_sentences(sets, n_sets), "live", (json_int_t)live));
}

void report_start(struct service *service)
{
	if (!service->started)
		start_log(service);
	service->started = true;
}

void report_waiting(void)
{
	notify("READY=1\nSTATUS=Waiting for valid files: see the log");
}

void report_state(struct service *service, const struct selection *selection)
{
	const struct plan *plan = selection->plan;
	struct metrics *metrics = &service->metrics;
	metrics->pending = plan_count(plan, ACTION_PENDING);
	metrics->waiting = retry_count(service->retry);
	metrics->attachments = count_live(service->live, ROLE_ATTACH);
	metrics->guests = count_live(service->live, ROLE_GUEST);
	metrics->converged = plan_empty(plan) && !metrics->waiting && !plan->guard.refused &&
			     !plan_count(plan, ACTION_BLOCKED) && !plan_count(plan, ACTION_REFUSED);
	notify("READY=1\nSTATUS=%s, %zu live, %zu pending, %zu to be retried%s",
	       metrics->converged ? "Converged" : "Not converged", metrics->attachments,
	       metrics->pending, metrics->waiting,
	       metrics->input_valid ? "" : "; the files have errors: see the log");
}
