#include "reconcile/observe/engine_query.h"

#include "kernel/netns.h"
#include "kernel/process.h"
#include "lib/cleanup.h"
#include "lib/clock.h"
#include "reconcile/observe/engine_scaled.h"
#include "reconcile/observe/engine_trust.h"
#include "schema/words.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

/* A container that has just restarted may need a second inspection. */
#define INSPECTIONS_MAX 3

struct lookup_result lookup_not_running(struct arena *arena, const char *source, const char *id)
{
	struct lookup_result lookup_result = lookup_result_pending(
		arena_printf(arena, "container \"%s\" is not running", source));
	lookup_result.id = id ? arena_strdup(arena, id) : NULL;
	return lookup_result;
}

/* Finishes the query: the result takes over its arena, and its process if the container is
 * ready. */
static void result_take(struct lookup *lookup, const struct lookup_result *lookup_result)
{
	struct engine_query *query = &lookup->query;
	lookup_result_clear(&lookup->result);
	lookup->result.arena = query->arena;
	lookup->result.lookup_result = *lookup_result;
	if (lookup_result->state == CONTAINER_READY) {
		lookup->result.process = query->process;
		query->process = -1;
	}
	lookup_process_close(query);
	query->arena = NULL;
	lookup->lookups->pending--;
	lookup->drop_unanswered = false;
}

/* `silent` as in lookup_answered. */
static void finish(struct lookup *lookup, const struct lookup_result *lookup_result,
		   const struct error *silent)
{
	struct lookups *lookups = lookup->lookups;
	lookup->query.inspection = NULL;
	if (silent && !lookup->drop_unanswered && lookup_result_is_valid(lookup))
		lookup_query_end(lookup);
	else
		result_take(lookup, lookup_result);
	bool repeat = lookup->repeat;
	lookup->repeat = false;
	if (repeat)
		lookup_query_begin(lookup);
	if (lookups->answered)
		lookups->answered(lookups->data, lookup->kind, lookup->source,
				  &lookup->result.lookup_result, silent);
}

struct lookup_result lookup_engine_failed(struct arena *arena, const struct error *error)
{
	struct lookup_result lookup_result = lookup_result_failed(arena, error);
	if (error->errnum == ENOENT || error->errnum == EHOSTDOWN)
		lookup_result.state = CONTAINER_PENDING;
	lookup_result.absent = error->errnum == ENOENT;
	if (lookup_result.absent)
		lookup_result.code = CODE_NONE;
	return lookup_result;
}

static void finish_failed(struct lookup *lookup, const struct error *error)
{
	const struct lookup_result lookup_result = lookup_engine_failed(lookup->query.arena, error);
	finish(lookup, &lookup_result, error->errnum == EHOSTDOWN ? error : NULL);
}

/* The process of a running container could not be opened. */
static void finish_denied(struct lookup *lookup, struct error *error)
{
	process_denied(error);
	finish_failed(lookup, error);
}

static void finish_host_network(struct lookup *lookup)
{
	const struct lookup_result lookup_result = {
		.state = CONTAINER_REFUSED,
		.fd = -1,
		.code = CODE_NAMESPACE_HOST,
		.reason = arena_printf(
			lookup->query.arena,
			"container \"%s\" runs with --network host: it uses the host's network "
			"namespace",
			lookup->source),
		.hint = "run the container with --network none",
	};
	finish(lookup, &lookup_result, NULL);
}

static void finish_not_running(struct lookup *lookup)
{
	const struct engine_query *query = &lookup->query;
	const struct lookup_result lookup_result =
		lookup_not_running(query->arena, lookup->source, query->container.id);
	finish(lookup, &lookup_result, NULL);
}

/* Compares the namespace with the engine's own file of it, if that is accessible: if the engine is
 * in another pid namespace, the process id belongs to another process here. */
static bool sandbox_differs(const struct lookup *lookup)
{
	const char *path = lookup->query.container.sandbox;
	struct stat sandbox;
	struct error ignored;
	if (*path != '/')
		return false;
	cleanup_close int fd = netns_open(path, &lookup->lookups->host, &sandbox, &ignored);
	return fd >= 0 && !netns_same(&sandbox, &lookup->query.stat);
}

static void finish_other_netns(struct lookup *lookup)
{
	const struct engine_container *container = &lookup->query.container;
	struct error error;
	error_set(&error, EXDEV, "%s's container \"%s\" is process %d, but %s is another namespace",
		  source_kind_name(lookup->kind), lookup->source, container->pid,
		  container->sandbox);
	error_code(&error, CODE_NAMESPACE_OTHER);
	error_hint(&error, "run mvapply in the process namespace of the engine");
	finish_failed(lookup, &error);
}

static void finish_not_owned(struct lookup *lookup)
{
	const struct engine_container *container = &lookup->query.container;
	struct error error;
	error_set(
		&error, EXDEV,
		"%s at this socket runs as user %u, who does not own the network namespace of its "
		"container \"%s\", process %d",
		source_kind_name(lookup->kind), (unsigned)container->user, lookup->source,
		container->pid);
	error_code(&error, CODE_NAMESPACE_OWNER);
	error_hint(&error, "use root's engine, or specify the container by `netns` or `pid`");
	finish_failed(lookup, &error);
}

static void finish_ready(struct lookup *lookup)
{
	const struct engine_query *query = &lookup->query;
	const struct lookup_result lookup_result = {
		.state = CONTAINER_READY,
		.fd = -1,
		.stat = query->stat,
		.name = arena_printf(query->arena, "%s %s", source_kind_name(lookup->kind),
				     lookup->source),
		.id = query->container.id,
		.note = query->container.note,
	};
	lookup->stopped = 0;
	if (sandbox_differs(lookup))
		finish_other_netns(lookup);
	else
		finish(lookup, &lookup_result, NULL);
}

static void container_answered(void *data, const struct engine_container *container,
			       const struct error *error);

static void observe_begin(struct lookup *lookup)
{
	struct engine_query *query = &lookup->query;
	query->sent = process_now();
	query->inspection =
		engine_inspect_begin(lookup->lookups->engines, lookup->kind, lookup->source,
				     query->arena, container_answered, lookup);
	query->ids = (struct engine_candidates){0};
	engine_inspect_prefer(query->inspection,
			      query->unprefer ? NULL : lookup->result.lookup_result.id,
			      &query->ids);
}

/* The process belongs to another run of the container. */
static void lookup_retry(struct lookup *lookup)
{
	struct engine_query *query = &lookup->query;
	lookup_process_close(query);
	if (++query->inspections < INSPECTIONS_MAX)
		observe_begin(lookup);
	else
		finish_not_running(lookup);
}

static bool same_run(const struct engine_container *a, const struct engine_container *b)
{
	return a->pid == b->pid && strcmp(a->started_at, b->started_at) == 0 &&
	       strcmp(a->name, b->name) == 0;
}

static void run_confirmed(void *data, const struct engine_container *container,
			  const struct error *error)
{
	struct lookup *lookup = data;
	lookup->query.inspection = NULL;
	if (!container && error->errnum != ENOENT)
		finish_failed(lookup, error);
	else if (!container || !same_run(&lookup->query.container, container))
		lookup_retry(lookup);
	else
		finish_ready(lookup);
}

/* "2026-11-28T..." */
static bool time_known(const char *text)
{
	return strspn(text, "0123456789") == 4 && text[4] == '-';
}

/* Whether the held process is that of the engine's answer, and not one that reused its id: it
 * started before the query, and was running when the query was answered. If the engine does not
 * report when a container started, it is queried once more. */
static bool run_proven(const struct engine_query *query)
{
	int64_t started = process_started(query->process);
	return time_known(query->container.started_at) && started >= 0 && started < query->sent;
}

/* Holds the process of a running container. The engine is queried once more unless the process is
 * verified to be the container's. */
static void run_hold(struct lookup *lookup)
{
	struct engine_query *query = &lookup->query;
	const struct lookups *lookups = lookup->lookups;
	struct error error;
	query->process = process_open(query->container.pid, &error);
	cleanup_close int fd = query->process < 0 ? query->process
						  : lookup_namespace_open(lookups, query->process,
									  &query->stat, &error);
	const bool trusted = fd >= 0 && engine_is_trusted(&query->container, fd);
	if (fd == -ENOENT || fd == -ESRCH)
		lookup_retry(lookup);
	else if (fd < 0)
		finish_denied(lookup, &error);
	else if (!trusted)
		finish_not_owned(lookup);
	else if (run_proven(query))
		finish_ready(lookup);
	else
		query->inspection =
			engine_inspect_begin(lookups->engines, lookup->kind, query->container.id,
					     query->arena, run_confirmed, lookup);
}

/* How long a container of a scaled service may be absent before another one is chosen: an engine
 * does not distinguish a restart from an end. In milliseconds. */
#define RESTART_MS 5000

/* Docker lists a container as running for a moment after the event of its end. */
static void preferred_stopped(struct lookup *lookup)
{
	struct engine_query *query = &lookup->query;
	const int64_t now = clock_milliseconds();
	if (!lookup->stopped)
		lookup->stopped = now;
	if (lookup->lookups->answered && now - lookup->stopped < RESTART_MS) {
		struct lookup_result lookup_result =
			lookup_not_running(query->arena, lookup->source, query->container.id);
		lookup_result.retry = true;
		finish(lookup, &lookup_result, NULL);
		return;
	}
	lookup->stopped = 0;
	query->unprefer = true;
	lookup_retry(lookup);
}

static void candidate_found(struct lookup *lookup, const struct engine_container *container,
			    const struct error *error)
{
	if (!container) {
		finish_failed(lookup, error);
		return;
	}
	lookup->query.container = *container;
	run_hold(lookup);
}

static void container_answered(void *data, const struct engine_container *container,
			       const struct error *error)
{
	struct lookup *lookup = data;
	lookup->query.inspection = NULL;
	if (!container && error->errnum == ENOTUNIQ) {
		scaled_search(lookup, error, candidate_found);
		return;
	}
	if (!container) {
		finish_failed(lookup, error);
		return;
	}
	lookup->query.container = *container;
	if (container->host_network)
		finish_host_network(lookup);
	else if (!container->pid && container->others)
		preferred_stopped(lookup);
	else if (!container->pid)
		finish_not_running(lookup);
	else
		run_hold(lookup);
}

void lookup_query_begin(struct lookup *lookup)
{
	lookup->query = (struct engine_query){.arena = arena_new(), .process = -1};
	lookup->lookups->pending++;
	observe_begin(lookup);
}
