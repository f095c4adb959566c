/* Executes a rollback. */
#include "reconcile/plan/rollback_plan.h"

#include "kernel/netns.h"
#include "lib/memory.h"
#include "reconcile/apply/apply.h"
#include "reconcile/observe/link_sysctls.h"
#include "reconcile/observe/observe.h"
#include "reconcile/rollback/snapshot.h"

#include <stdlib.h>
#include <string.h>

/* The limit of observations and restorations of the rest. */
#define PASSES_MAX 4

static struct live_link *link_of(struct live_ns *ns, int ifindex)
{
	for (size_t i = 0; i < ns->n_links; i++)
		if (ns->links[i].ifindex == ifindex)
			return &ns->links[i];
	return NULL;
}

int revert_note(const struct step *step, bool all_sysctls, struct error *error)
{
	struct live_link *link = link_of(step->ns, step->current->ifindex);
	int status = netns_enter(step->ns->handle->fd, error);
	if (status == 0)
		status = snapshot_take(step->ns, link, error);
	if (status < 0) {
		error_prepend(error, "cannot take a snapshot of %s in namespace %s", link->name,
			      step->ns->name);
		return status;
	}
	if (all_sysctls)
		link_sysctls_read(step->ns, link);
	return 0;
}

static int others_note_in(struct live_ns *ns, const struct step *step, struct error *error)
{
	int status = netns_enter(ns->handle->fd, error);
	if (status == 0)
		status = other_routes_take(ns, step, error);
	if (status < 0)
		error_prepend(error, "cannot read the routes of namespace %s", ns->name);
	return status;
}

static int others_note(const struct step *step, struct error *error)
{
	int status = others_note_in(step->ns, step, error);
	if (status == 0 && step->desired && step->desired->ns != step->ns)
		status = others_note_in(step->desired->ns, step, error);
	return status;
}

int revert_prepare(struct live *before, const struct plan *plan, struct error *error)
{
	int status = 0;
	for (size_t i = 0; status == 0 && i < plan->n_steps; i++) {
		const struct step *step = &plan->steps[i];
		if (!step_acts(step))
			continue;
		if (step->current)
			status = revert_note(step, step->action != ACTION_CHANGE, error);
		if (status == 0)
			status = others_note(step, error);
	}
	netns_return(before->namespaces[0]->handle->fd);
	return status;
}

static void report_nothing(const char *sentence, void *data)
{
	(void)sentence;
	(void)data;
}

static bool is_left(const struct step *step)
{
	return step_acts(step) || step->action == ACTION_BLOCKED;
}

static size_t count_left(const struct plan *plan)
{
	size_t count = 0;
	for (size_t i = 0; i < plan->n_steps; i++)
		count += is_left(&plan->steps[i]);
	return count;
}

static void report_kept(const struct plan *plan, rollback_report *report, void *data)
{
	struct arena *arena __attribute__((cleanup(arena_cleanup))) = arena_new();
	for (size_t i = 0; i < plan->n_steps; i++)
		if (plan->steps[i].action == ACTION_KEPT)
			report(arena_printf(arena, "%s is kept: %s", plan->steps[i].name,
					    plan->steps[i].reason),
			       data);
}

static void report_left(const struct plan *plan, const struct outcome *outcomes,
			rollback_report *report, void *data)
{
	struct arena *arena __attribute__((cleanup(arena_cleanup))) = arena_new();
	for (size_t i = 0; i < plan->n_steps; i++) {
		const struct step *step = &plan->steps[i];
		if (!is_left(step))
			continue;
		if (outcomes[i].state == OUTCOME_FAILED)
			report(outcomes[i].error->text, data);
		else
			report(arena_printf(arena, "%s in %s %s", step->name, step->ns->name,
					    step->reason ? step->reason : "is not as before"),
			       data);
	}
}

/* A rollback in progress. */
struct rollback_run {
	const struct plan *done;
	struct live *before;
	struct lookups *lookups;
	bool *moved; /* by step: its container was found in another namespace */
	rollback_report *report;
	void *data;
};

static void moves_note(const struct rollback_run *rollback_run, const struct live *now)
{
	for (size_t i = 0; i < rollback_run->done->n_steps; i++)
		rollback_run->moved[i] =
			revert_namespace(&rollback_run->done->steps[i], rollback_run->before, now);
}

static size_t others_return(const struct rollback_run *rollback_run, rollback_report *report)
{
	struct error error;
	size_t failed = 0;
	for (size_t i = 0; i < rollback_run->before->n_namespaces; i++) {
		const struct live_ns *ns = rollback_run->before->namespaces[i];
		if (ns->other_routes && netns_enter(ns->handle->fd, &error) == 0)
			failed += other_routes_restore(ns, report, rollback_run->data);
	}
	return failed;
}

/* Addresses and routes that the plan of the rollback does not contain. Unmanaged ones in a
 * container's former namespace were destroyed with it. */
static size_t rest_returns(const struct rollback_run *rollback_run, rollback_report *report)
{
	struct error error;
	size_t failed = 0;
	for (size_t i = 0; i < rollback_run->done->n_steps; i++) {
		const struct step *step = &rollback_run->done->steps[i];
		if (step_acts(step) && step->current && !rollback_run->moved[i] &&
		    netns_enter(step->ns->handle->fd, &error) == 0)
			failed += snapshot_restore(step->ns, step->current, report,
						   rollback_run->data);
	}
	failed += others_return(rollback_run, report);
	netns_return(rollback_run->before->namespaces[0]->handle->fd);
	return failed;
}

static void all_apply(const struct plan *plan, const struct live *now, struct outcome *outcomes)
{
	struct arena *arena __attribute__((cleanup(arena_cleanup))) = arena_new();
	const struct selection all = selection_all(plan, arena);
	/* Without a broker; the restored links may have the leases. */
	apply(&all, now, &(struct apply_options){.keep_leases = true}, outcomes);
}

/* Observes and restores the rest. Returns the number of restored objects, 0: everything is
 * restored; or a negative errno. */
static int pass(const struct rollback_run *rollback_run, bool last, struct error *error)
{
	struct live *now = observe_second(rollback_run->before, rollback_run->lookups, error);
	if (!now)
		return -error->errnum;
	moves_note(rollback_run, now);
	const struct plan *plan = plan_revert(rollback_run->done, rollback_run->before, now);
	size_t left = count_left(plan);
	struct outcome *outcomes = outcomes_new(plan->n_steps);
	if (left)
		all_apply(plan, now, outcomes);
	else
		left = rest_returns(rollback_run, last ? rollback_run->report : report_nothing);
	if (last)
		report_left(plan, outcomes, rollback_run->report, rollback_run->data);
	if (last || !left)
		report_kept(plan, rollback_run->report, rollback_run->data);
	outcomes_free(outcomes, plan->n_steps);
	plan_free(plan);
	live_free(now);
	return (int)left;
}

/* Under the lock. */
static int passes(const struct rollback_run *rollback_run, struct error *error)
{
	struct apply_lock lock;
	int left = apply_lock(&lock, NULL, error);
	if (left < 0)
		return left;
	left = 1;
	for (int number = 1; left != 0 && number <= PASSES_MAX; number++)
		left = pass(rollback_run, number == PASSES_MAX, error);
	apply_unlock(&lock);
	return left;
}

/* --- containers that were restarted */

/* The namespaces in use, by inode. */
struct inodes {
	ino_t *list;
	size_t count, room;
	bool known; /* whether the list is complete */
};

static bool place_take(const struct netns_place *place, void *data)
{
	struct inodes *inodes = data;
	if (inodes->count == inodes->room) {
		inodes->room = inodes->room * 2 + 64;
		inodes->list = memory_or_die(
			reallocarray(inodes->list, inodes->room, sizeof(*inodes->list)));
	}
	inodes->list[inodes->count++] = place->inode;
	return true;
}

static int inode_compare(const void *a, const void *b)
{
	const ino_t left = *(const ino_t *)a, right = *(const ino_t *)b;
	return left < right ? -1 : left > right;
}

/* Descriptors of this process keep namespaces, too; netns_scan does not find them. */
static struct inodes inodes_find(void)
{
	struct inodes inodes = {0};
	const struct netns_missed missed = netns_scan(NULL, place_take, &inodes);
	inodes.known = !missed.processes && !missed.hidden && !missed.mounts;
	if (inodes.count)
		qsort(inodes.list, inodes.count, sizeof(*inodes.list), inode_compare);
	return inodes;
}

static bool inodes_have(const struct inodes *inodes, ino_t inode)
{
	return inodes->count &&
	       bsearch(&inode, inodes->list, inodes->count, sizeof(*inodes->list), inode_compare);
}

static bool was_in_container(const struct step *step)
{
	return step_acts(step) && step->current && !step->ns->host && step->tag->container;
}

static struct container_lookup *lookup_of_container(const struct live *before,
						    const struct step *step)
{
	for (size_t i = 0; i < before->n_containers; i++)
		if (before->container_lookups[i].ns == step->ns &&
		    strcmp(before->container_lookups[i].container->name, step->tag->container) == 0)
			return &before->container_lookups[i];
	return NULL;
}

/* The files do not contain the container any more. Its namespace can only be found as a file's
 * `netns` would find it. */
static struct container_lookup *container_add(struct live *before, const struct step *step)
{
	if (!step->ns->source)
		return NULL;
	struct container *container = arena_alloc(before->arena, sizeof(*container));
	*container = (struct container){.name = step->tag->container,
					.source_kind = SOURCE_NETNS,
					.source = step->ns->source};
	struct container_lookup *lookup =
		array_push(before->arena, before->container_lookups, before->n_containers);
	*lookup = (struct container_lookup){
		.container = container, .state = CONTAINER_READY, .ns = step->ns};
	return lookup;
}

static bool has_engine(const struct container_lookup *lookup)
{
	return lookup->container->source_kind == SOURCE_DOCKER ||
	       lookup->container->source_kind == SOURCE_PODMAN;
}

/* Marks lookups as stale that may find another namespace now: all whose link is restored; of an
 * engine's containers, as engines may be slow, only those whose namespace was destroyed. Returns
 * whether one of the latter needs a query. */
static bool containers_mark_stale(const struct rollback_run *rollback_run,
				  const struct inodes *inodes)
{
	bool queries = false;
	for (size_t i = 0; i < rollback_run->done->n_steps; i++) {
		const struct step *step = &rollback_run->done->steps[i];
		if (!was_in_container(step))
			continue;
		struct container_lookup *lookup = lookup_of_container(rollback_run->before, step);
		if (!lookup)
			lookup = container_add(rollback_run->before, step);
		if (!lookup || (has_engine(lookup) && inodes_have(inodes, step->ns->inode)))
			continue;
		lookup->stale = true;
		queries |= has_engine(lookup);
	}
	return queries;
}

static void engines_query(const struct rollback_run *rollback_run)
{
	for (size_t i = 0; i < rollback_run->before->n_containers; i++) {
		const struct container_lookup *lookup = &rollback_run->before->container_lookups[i];
		if (lookup->stale && has_engine(lookup))
			lookups_query(rollback_run->lookups, lookup->container->source_kind,
				      lookup->container->source, LOOKUP_NEW);
	}
	lookups_wait(rollback_run->lookups);
}

/* Reports the links whose container was not found again. Returns how many are lost; 0 if it is
 * unknown. */
static size_t ended_report(const struct rollback_run *rollback_run, const struct inodes *inodes)
{
	struct arena *arena __attribute__((cleanup(arena_cleanup))) = arena_new();
	size_t count = 0;
	for (size_t i = 0; inodes->known && i < rollback_run->done->n_steps; i++) {
		const struct step *step = &rollback_run->done->steps[i];
		if (!was_in_container(step) || rollback_run->moved[i] ||
		    inodes_have(inodes, step->ns->inode))
			continue;
		rollback_run->report(
			arena_printf(
				arena,
				"%s is not restored: its network namespace %s no longer exists; a "
				"container that was restarted does not have the link",
				step->name, step->ns->name),
			rollback_run->data);
		count++;
	}
	return count;
}

/* Containers of engines are restored last, so that no engine delays the others. */
static int rollback_run_all(struct rollback_run *rollback_run, const struct inodes *inodes,
			    struct error *error)
{
	if (containers_mark_stale(rollback_run, inodes)) {
		struct rollback_run first = *rollback_run;
		first.report = report_nothing;
		(void)passes(&first, error);
		engines_query(rollback_run);
	}
	int left = passes(rollback_run, error);
	if (left >= 0)
		left += (int)ended_report(rollback_run, inodes);
	return left;
}

int revert(const struct plan *done, struct live *before, rollback_report *report, void *data,
	   struct error *error)
{
	struct inodes inodes = inodes_find();
	struct rollback_run rollback_run = {.done = done,
					    .before = before,
					    .lookups = lookups_new(NULL, NULL, NULL),
					    .moved = memory_new(done->n_steps, sizeof(bool)),
					    .report = report,
					    .data = data};
	int left = rollback_run_all(&rollback_run, &inodes, error);
	lookups_free(rollback_run.lookups);
	free(rollback_run.moved);
	free(inodes.list);
	return left;
}
