#include "reconcile/observe/engine_lookup.h"

#include "engine/http.h"
#include "kernel/netns.h"
#include "kernel/process.h"
#include "lib/clock.h"
#include "reconcile/observe/engine_lookup_table.h"
#include "reconcile/observe/namespace.h"
#include "schema/words.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

/* A container that just restarted may need a second look. */
#define LOOKS 3

/* The time budget of lookups_wait for each container, in milliseconds, beside engine_patience. */
#define CONTAINER_MS 100

/* --- what was found */

static int namespace_open(const struct lookups *lookups, int process, struct stat *ret_stat,
			  struct error *error)
{
	return netns_open_at(process, "ns/net", 0, &lookups->host, ret_stat, error);
}

bool engine_believed(const struct engine_container *container, int fd)
{
	return container->user == 0 || netns_owned_by(fd, container->user);
}

/* Whether the process that was found is still there, in the same namespace. */
static bool result_holds(const struct lookup *lookup)
{
	const struct result *result = &lookup->result;
	struct error ignored;
	struct stat stat;
	if (!result->arena || result->lookup_result.state != TARGET_READY)
		return false;
	int fd = namespace_open(lookup->lookups, result->process, &stat, &ignored);
	if (fd >= 0)
		close(fd);
	return fd >= 0 && netns_same(&stat, &result->lookup_result.stat);
}

static struct lookup_result not_running(struct arena *arena, const char *source, const char *id)
{
	struct lookup_result lookup_result = lookup_result_pending(
		arena_printf(arena, "container \"%s\" is not running", source));
	lookup_result.id = id ? arena_strdup(arena, id) : NULL;
	return lookup_result;
}

static struct lookup_result unanswered(enum source_kind kind, struct arena *arena)
{
	struct lookup_result lookup_result = lookup_result_pending(
		arena_printf(arena, "%s has not answered yet", source_kind_name(kind)));
	lookup_result.asked = true;
	return lookup_result;
}

static const char *copied(struct arena *arena, const char *text)
{
	return text ? arena_strdup(arena, text) : NULL;
}

static struct lookup_result lookup_result_copy(const struct lookup_result *from,
					       struct arena *arena)
{
	struct lookup_result lookup_result = *from;
	lookup_result.name = copied(arena, from->name);
	lookup_result.id = copied(arena, from->id);
	lookup_result.note = copied(arena, from->note);
	lookup_result.reason = copied(arena, from->reason);
	lookup_result.hint = copied(arena, from->hint);
	return lookup_result;
}

struct lookup_result lookups_locate(struct lookups *lookups, enum source_kind kind,
				    const char *source, const struct stat *host,
				    struct arena *arena)
{
	const struct lookup *lookup = *lookup_place(lookups, kind, source);
	struct error error;
	if (!lookup || !lookup->result.arena)
		return unanswered(kind, arena);
	struct lookup_result lookup_result =
		lookup_result_copy(&lookup->result.lookup_result, arena);
	if (lookup_result.state != TARGET_READY)
		return lookup_result;
	struct stat stat;
	lookup_result.fd = netns_open_at(lookup->result.process, "ns/net", 0, host, &stat, &error);
	if (lookup_result.fd == -ENOENT || lookup_result.fd == -ESRCH)
		return not_running(arena, source, lookup_result.id);
	if (lookup_result.fd < 0)
		return lookup_result_failed(arena, &error);
	if (netns_same(&stat, &lookup_result.stat))
		return lookup_result;
	close(lookup_result.fd);
	lookups_ask(lookups, kind, source, LOOKUP_DOUBT);
	return unanswered(kind, arena);
}

bool lookups_outdated(const struct lookups *lookups)
{
	for (size_t i = 0; i < LOOKUP_BUCKETS; i++)
		for (const struct lookup *at = lookups->buckets[i]; at; at = at->next)
			if (at->result.arena && at->result.lookup_result.state == TARGET_READY &&
			    !result_holds(at))
				return true;
	return false;
}

/* --- the questions */

static void question_begin(struct lookup *lookup);

/* Takes over the question's arena, and its process where the container is ready. */
static void result_take(struct lookup *lookup, const struct lookup_result *lookup_result)
{
	struct question *question = &lookup->question;
	lookup_result_clear(&lookup->result);
	lookup->result.arena = question->arena;
	lookup->result.lookup_result = *lookup_result;
	if (lookup_result->state == TARGET_READY) {
		lookup->result.process = question->process;
		question->process = -1;
	}
	lookup_process_close(question);
	question->arena = NULL;
	lookup->lookups->asking--;
	lookup->doubted = false;
}

/* `silent` as in lookup_answered. */
static void finish(struct lookup *lookup, const struct lookup_result *lookup_result,
		   const struct error *silent)
{
	struct lookups *lookups = lookup->lookups;
	lookup->question.inquiry = NULL;
	if (silent && !lookup->doubted && result_holds(lookup))
		lookup_question_end(lookup);
	else
		result_take(lookup, lookup_result);
	bool again = lookup->again;
	lookup->again = false;
	if (again)
		question_begin(lookup);
	if (lookups->answered)
		lookups->answered(lookups->data, lookup->kind, lookup->source,
				  &lookup->result.lookup_result, silent);
}

static struct lookup_result engine_failed(struct arena *arena, const struct error *error)
{
	struct lookup_result lookup_result = lookup_result_failed(arena, error);
	if (error->errnum == ENOENT || error->errnum == EHOSTDOWN)
		lookup_result.state = TARGET_PENDING;
	if (error->errnum == ENOENT)
		lookup_result.code = CODE_NONE;
	return lookup_result;
}

static void finish_failed(struct lookup *lookup, const struct error *error)
{
	const struct lookup_result lookup_result = engine_failed(lookup->question.arena, error);
	finish(lookup, &lookup_result, error->errnum == EHOSTDOWN ? error : NULL);
}

static void lookup_fail(struct lookup *lookup, const struct error *error)
{
	struct result *result = &lookup->result;
	const bool silent = result->arena && result->lookup_result.code == CODE_ENGINE_SILENT;
	if (lookup->question.arena || (result->arena && !silent))
		return;
	lookup_result_clear(result);
	result->arena = arena_new();
	result->lookup_result = engine_failed(result->arena, error);
}

void lookups_fail(struct lookups *lookups, const struct desired *desired, enum source_kind kind,
		  const struct error *error)
{
	for (size_t s = 0; s < desired->n_sets; s++)
		for (size_t i = 0; i < desired->sets[s].n_containers; i++)
			if (desired->sets[s].containers[i].source_kind == kind)
				lookup_fail(lookup_of(lookups, kind,
						      desired->sets[s].containers[i].source),
					    error);
}

static void finish_host_network(struct lookup *lookup)
{
	const struct lookup_result lookup_result = {
		.state = TARGET_REFUSED,
		.fd = -1,
		.code = CODE_NAMESPACE_HOST,
		.reason = arena_printf(lookup->question.arena,
				       "container \"%s\" runs with --network host: its network is "
				       "the host's own",
				       lookup->source),
		.hint = "run the container with --network none",
	};
	finish(lookup, &lookup_result, NULL);
}

static void finish_not_running(struct lookup *lookup)
{
	const struct question *question = &lookup->question;
	const struct lookup_result lookup_result =
		not_running(question->arena, lookup->source, question->container.id);
	finish(lookup, &lookup_result, NULL);
}

/* Where the engine says it keeps the namespace, if that can be seen from here: a process id means
 * another process where the engine counts them otherwise. */
static bool sandbox_differs(const struct lookup *lookup)
{
	const char *path = lookup->question.container.sandbox;
	struct stat sandbox;
	struct error ignored;
	if (*path != '/')
		return false;
	int fd = netns_open(path, &lookup->lookups->host, &sandbox, &ignored);
	if (fd < 0)
		return false;
	close(fd);
	return !netns_same(&sandbox, &lookup->question.stat);
}

static void finish_elsewhere(struct lookup *lookup)
{
	const struct engine_container *container = &lookup->question.container;
	struct error error;
	error_set(&error, EXDEV, "%s's container \"%s\" is process %d, but %s is another namespace",
		  source_kind_name(lookup->kind), lookup->source, container->pid,
		  container->sandbox);
	error_code(&error, CODE_NAMESPACE_OTHER);
	error_hint(&error, "run mvapply where the engine runs, with the same process ids");
	finish_failed(lookup, &error);
}

static void finish_not_owned(struct lookup *lookup)
{
	const struct engine_container *container = &lookup->question.container;
	struct error error;
	error_set(&error, EXDEV,
		  "%s at this socket is user %u's, but the network namespace of its container "
		  "\"%s\", process %d, is not",
		  source_kind_name(lookup->kind), (unsigned)container->user, lookup->source,
		  container->pid);
	error_code(&error, CODE_NAMESPACE_OWNER);
	error_hint(&error, "ask root's engine, or name the container by `netns` or `pid`");
	finish_failed(lookup, &error);
}

static void finish_ready(struct lookup *lookup)
{
	const struct question *question = &lookup->question;
	const struct lookup_result lookup_result = {
		.state = TARGET_READY,
		.fd = -1,
		.stat = question->stat,
		.name = arena_printf(question->arena, "%s %s", source_kind_name(lookup->kind),
				     lookup->source),
		.id = question->container.id,
		.note = question->container.note,
	};
	lookup->stopped = 0;
	if (sandbox_differs(lookup))
		finish_elsewhere(lookup);
	else
		finish(lookup, &lookup_result, NULL);
}

static void container_answered(void *data, const struct engine_container *container,
			       const struct error *error);

static void observe_begin(struct lookup *lookup)
{
	struct question *question = &lookup->question;
	question->sent = process_now();
	question->inquiry =
		engine_inspect_begin(lookup->lookups->engines, lookup->kind, lookup->source,
				     question->arena, container_answered, lookup);
	question->candidates = (struct engine_candidates){0};
	engine_inquiry_prefer(question->inquiry,
			      question->unprefer ? NULL : lookup->result.lookup_result.id,
			      &question->candidates);
}

/* What is found belongs to another run by now. */
static void observe_again(struct lookup *lookup)
{
	struct question *question = &lookup->question;
	lookup_process_close(question);
	if (++question->looks < LOOKS)
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
	lookup->question.inquiry = NULL;
	if (!container && error->errnum != ENOENT)
		finish_failed(lookup, error);
	else if (!container || !same_run(&lookup->question.container, container))
		observe_again(lookup);
	else
		finish_ready(lookup);
}

/* "2026-11-28T..." */
static bool time_told(const char *text)
{
	return strspn(text, "0123456789") == 4 && text[4] == '-';
}

/* Whether the process that is held is the one that the engine spoke of, and none that got its
 * number since: it was there before the question, and so when it was answered. An engine that does
 * not tell when a container started is asked once more. */
static bool run_proven(const struct question *question)
{
	int64_t started = process_started(question->process);
	return time_told(question->container.started_at) && started >= 0 &&
	       started < question->sent;
}

/* Holds the process of a container that runs. The engine is asked once more unless the process
 * proves that it is the container's: the same container is still in the same run then, and has its
 * name. */
static void run_hold(struct lookup *lookup)
{
	struct question *question = &lookup->question;
	const struct lookups *lookups = lookup->lookups;
	struct error error;
	int fd = question->process = process_open(question->container.pid, &error);
	if (fd >= 0)
		fd = namespace_open(lookups, question->process, &question->stat, &error);
	const bool believed = fd >= 0 && engine_believed(&question->container, fd);
	if (fd >= 0)
		close(fd);
	if (fd == -ENOENT || fd == -ESRCH)
		observe_again(lookup);
	else if (fd < 0)
		finish_failed(lookup, &error);
	else if (!believed)
		finish_not_owned(lookup);
	else if (run_proven(question))
		finish_ready(lookup);
	else
		question->inquiry =
			engine_inspect_begin(lookups->engines, lookup->kind, question->container.id,
					     question->arena, run_confirmed, lookup);
}

/* --- a Compose service that runs as several containers */

/* How long a container of such a service may be away before another one's turn comes: an engine
 * does not tell a restart from an end. In milliseconds. */
#define RESTART_MS 5000

/* More are not looked into. */
#define CANDIDATES_MAX 100

/* Docker lists a container as running for a moment after it told that it died. */
static void preferred_stopped(struct lookup *lookup)
{
	struct question *question = &lookup->question;
	const int64_t now = clock_milliseconds();
	if (!lookup->stopped)
		lookup->stopped = now;
	if (lookup->lookups->answered && now - lookup->stopped < RESTART_MS) {
		struct lookup_result lookup_result =
			not_running(question->arena, lookup->source, question->container.id);
		lookup_result.again = true;
		finish(lookup, &lookup_result, NULL);
		return;
	}
	lookup->stopped = 0;
	question->unprefer = true;
	observe_again(lookup);
}

static bool is_holders(const struct lookup *lookup, const struct owner_tag *mark)
{
	const size_t length = mark->role == ROLE_ATTACH ? strlen(mark->set) : 0;
	for (size_t i = 0; length && i < lookup->n_holders; i++)
		if (strncmp(lookup->holders[i], mark->set, length) == 0 &&
		    lookup->holders[i][length] == '/' &&
		    strcmp(lookup->holders[i] + length + 1, mark->container) == 0)
			return true;
	return false;
}

/* Whether a link in the namespace has the mark of one of the attachments. Takes `fd` over. */
static bool holds_attachment(const struct lookup *lookup, int fd, const struct stat *stat)
{
	const struct namespace_read_options nothing = {0};
	struct error ignored;
	struct stat host;
	bool addr_proto = false, holds = false;
	struct live_ns *ns = namespace_new(fd, stat, lookup->source);
	const int host_fd = netns_open_own(&host, &ignored);
	if (host_fd >= 0 && namespace_read(ns, host_fd, &nothing, &addr_proto, &ignored) == 0)
		for (size_t i = 0; i < ns->n_links && !holds; i++)
			holds = is_holders(lookup, &ns->links[i].mark);
	if (host_fd >= 0) {
		netns_return(host_fd);
		close(host_fd);
	}
	namespace_free(ns);
	return holds;
}

static bool candidate_holds(const struct lookup *lookup, const struct engine_container *container)
{
	struct error ignored;
	struct stat stat;
	const int process = container->pid ? process_open(container->pid, &ignored) : -1;
	if (process < 0)
		return false;
	int fd = namespace_open(lookup->lookups, process, &stat, &ignored);
	close(process);
	if (fd >= 0 && engine_believed(container, fd) && !netns_same(&stat, &lookup->lookups->host))
		return holds_attachment(lookup, fd, &stat);
	if (fd >= 0)
		close(fd);
	return false;
}

static void candidate_ask(struct lookup *lookup);

static void candidate_answered(void *data, const struct engine_container *container,
			       const struct error *error)
{
	struct lookup *lookup = data;
	struct question *question = &lookup->question;
	question->inquiry = NULL;
	if (!container && error->errnum == EHOSTDOWN) {
		finish_failed(lookup, error);
	} else if (!container || !candidate_holds(lookup, container)) {
		question->candidate++;
		candidate_ask(lookup);
	} else {
		question->container = *container;
		question->container.note =
			engine_stays(question->arena, &question->scaled, container->name);
		run_hold(lookup);
	}
}

/* One after another: the first that has the attachment is meant. */
static void candidate_ask(struct lookup *lookup)
{
	struct question *question = &lookup->question;
	if (question->candidate < question->candidates.count &&
	    question->candidate < CANDIDATES_MAX)
		question->inquiry =
			engine_inspect_begin(lookup->lookups->engines, lookup->kind,
					     question->candidates.ids[question->candidate],
					     question->arena, candidate_answered, lookup);
	else
		finish_failed(lookup, &question->scaled);
}

static void candidates_search(struct lookup *lookup, const struct error *scaled)
{
	lookup->question.scaled = *scaled;
	lookup->question.candidate = 0;
	candidate_ask(lookup);
}

static void container_answered(void *data, const struct engine_container *container,
			       const struct error *error)
{
	struct lookup *lookup = data;
	lookup->question.inquiry = NULL;
	if (!container && error->errnum == ENOTUNIQ) {
		candidates_search(lookup, error);
		return;
	}
	if (!container) {
		finish_failed(lookup, error);
		return;
	}
	lookup->question.container = *container;
	if (container->host_network)
		finish_host_network(lookup);
	else if (!container->pid && container->others)
		preferred_stopped(lookup);
	else if (!container->pid)
		finish_not_running(lookup);
	else
		run_hold(lookup);
}

static void question_begin(struct lookup *lookup)
{
	lookup->question = (struct question){.arena = arena_new(), .process = -1};
	lookup->lookups->asking++;
	observe_begin(lookup);
}

static bool is_due(const struct lookup *lookup, enum lookup_urgency urgency)
{
	const bool asking = lookup->question.arena != NULL;
	switch (urgency) {
	case LOOKUP_NEW:
		return !asking && !lookup->result.arena;
	case LOOKUP_UNLESS_READY:
		return !asking && !result_holds(lookup);
	case LOOKUP_IDLE:
		return !asking;
	case LOOKUP_KEEP:
	case LOOKUP_DOUBT:
		break;
	}
	return true;
}

void lookups_ask(struct lookups *lookups, enum source_kind kind, const char *source,
		 enum lookup_urgency urgency)
{
	if (!lookup_possible(kind))
		return;
	struct lookup *lookup = lookup_of(lookups, kind, source);
	if (!is_due(lookup, urgency))
		return;
	lookup->doubted |= urgency == LOOKUP_DOUBT;
	if (lookup->question.arena)
		lookup->again = true;
	else
		question_begin(lookup);
}

void lookups_ask_all(struct lookups *lookups, const struct desired *desired, enum source_kind kind,
		     enum lookup_urgency urgency)
{
	lookups_want(lookups, desired);
	for (size_t i = 0; i < LOOKUP_BUCKETS; i++)
		for (struct lookup *at = lookups->buckets[i]; at; at = at->next)
			if (!lookup_unwanted(at) && at->kind == kind)
				lookups_ask(lookups, kind, at->source, urgency);
}

bool lookups_asking(const struct lookups *lookups)
{
	return lookups->asking > 0;
}

void lookups_wait(struct lookups *lookups)
{
	if (lookups->asking)
		engines_wait(lookups->engines, clock_milliseconds() + engine_patience +
						       (int64_t)lookups->count * CONTAINER_MS);
}
