/* The engines in the service's loop: their events, and queries for containers. No pass waits for
 * them. */
#include "cmd/watch/internal.h"
#include "container_engine/event_parse.h"
#include "container_engine/event_stream.h"
#include "container_engine/socket_path.h"
#include "lib/clock.h"
#include "lib/memory.h"
#include "schema/words.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

/* Answers within this time are processed in one pass. */
#define GATHER_MS 20

/* The source kinds of engines. */
static const enum source_kind kinds[] = {SOURCE_DOCKER, SOURCE_PODMAN};
enum { N_KINDS = sizeof(kinds) / sizeof(kinds[0]) };

struct engine {
	struct service *service;
	enum source_kind kind;
	struct engine_events *events; /* NULL: no container of the files uses this engine */
	struct timer timeout, reconnect;
	unsigned failures; /* failed connections in a row */
	/* it can be queried: it sends events, or at least answers */
	bool answers;
	struct error
		failure; /* otherwise the reason; errnum 0: the first connection is in progress */
	const char *sockets[2];
	struct paths *paths; /* the possible paths of its socket; NULL: not watched yet */
	bool absent;         /* it was missing at the last check */
};

struct service_engines {
	struct engine engines[N_KINDS];
	struct timer timeout, gather;
};

/* The state for the next observation. */
static const struct desired *desired_of(const struct service *service)
{
	return service->next ? service->next : service->desired;
}

/* --- results of containers */

static void container_stale(struct service *service, enum source_kind kind, const char *source)
{
	for (size_t i = 0; service->live && i < service->live->n_containers; i++) {
		struct container_lookup *lookup = &service->live->container_lookups[i];
		if (lookup->container->source_kind == kind &&
		    strcmp(lookup->container->source, source) == 0)
			service_lookup_stale(service, lookup);
	}
}

/* Queries for the engine's containers are deferred until it is available. */
static void engine_unavailable(struct engine *engine, const struct error *failure)
{
	struct service *service = engine->service;
	char key[SOURCE_KEY_SIZE];
	lookups_fail(service->lookups, desired_of(service), engine->kind, failure);
	for (size_t i = 0; service->live && i < service->live->n_containers; i++) {
		struct container_lookup *lookup = &service->live->container_lookups[i];
		if (lookup->container->source_kind != engine->kind)
			continue;
		retry_forget(service->retry,
			     source_key(engine->kind, lookup->container->source, key));
		service_lookup_stale(service, lookup);
	}
	service_replan(service);
}

static void gather_due(void *data)
{
	struct service *service = data;
	service_replan(service);
}

static void reconcile_soon(struct service *service)
{
	struct timer *gather = &service->engines->gather;
	if (!lookups_pending(service->lookups))
		service_replan(service);
	else if (!gather->due)
		loop_timer_set(service->loop, gather, GATHER_MS);
}

static bool engine_answers(const struct service *service, enum source_kind kind)
{
	for (size_t i = 0; i < N_KINDS; i++)
		if (kinds[i] == kind)
			return service->engines->engines[i].answers;
	return false;
}

/* While an engine is unavailable, the last result for its containers is used as long as the process
 * runs; all are queried when the engine is back. An engine that sends no events may answer
 * nevertheless. */
static void take_answer(void *data, enum source_kind kind, const char *source,
			const struct lookup_result *lookup_result, const struct error *silent)
{
	struct service *service = data;
	char key[SOURCE_KEY_SIZE];
	source_key(kind, source, key);
	const bool retry =
		silent || lookup_result->retry || lookup_result->state == CONTAINER_FAILED;
	if (retry && engine_answers(service, kind))
		retry_failed(service->retry, key, clock_milliseconds());
	else
		retry_forget(service->retry, key);
	container_stale(service, kind, source);
	reconcile_soon(service);
}

static void questions_ready(void *data, int fd, uint32_t events)
{
	const struct service *service = data;
	engines_ready(lookups_engines(service->lookups), fd, events);
}

static void questions_watch(void *data, int fd, uint32_t events)
{
	struct service *service = data;
	struct error error;
	if (!events)
		loop_remove(service->loop, fd);
	else if (loop_add(service->loop, fd, events, questions_ready, service, &error) < 0)
		log_error(&service->log, LEVEL_ERROR, NULL, &error);
}

static void questions_timer(void *data, long milliseconds)
{
	struct service *service = data;
	loop_timer_set(service->loop, &service->engines->timeout, milliseconds);
}

static void questions_timeout(void *data)
{
	const struct service *service = data;
	engines_timeout(lookups_engines(service->lookups));
}

/* --- events */

/* Whether watching the process is sufficient: its end is detected, and a start has an event of its
 * own. A Compose service, though, may also continue in another container. */
static bool process_is_enough(const struct engine_event *event, const char *source, const char *id)
{
	return (event->action == ENGINE_DIE || event->action == ENGINE_RESTART) && id &&
	       strcmp(id, event->id) == 0 && !strchr(source, '/');
}

struct event_context {
	struct service *service;
	const struct engine_event *event;
};

static void container_event_take(void *data, const char *source, const char *id)
{
	const struct event_context *context = data;
	const struct engine_event *event = context->event;
	const bool stale = event->action == ENGINE_RENAME || event->action == ENGINE_DESTROY;
	if (!engine_event_concerns(event, source, id))
		return;
	if (!process_is_enough(event, source, id)) {
		lookups_query(context->service->lookups, event->kind, source,
			      stale ? LOOKUP_STALE : LOOKUP_KEEP);
		return;
	}
	container_stale(context->service, event->kind, source);
	service_replan(context->service);
}

static void take_event(void *data, const struct engine_event *event)
{
	const struct engine *engine = data;
	struct event_context context = {.service = engine->service, .event = event};
	lookups_visit(engine->service->lookups, engine->kind, container_event_take, &context);
}

/* The container of the event is unknown. */
static void take_loss(void *data)
{
	const struct engine *engine = data;
	const struct service *service = engine->service;
	log_write(&service->log, LEVEL_WARNING,
		  "%s sent an event of more than 1 MiB: reading all its containers again",
		  source_kind_name(engine->kind));
	lookups_query_all(service->lookups, desired_of(service), engine->kind, LOOKUP_STALE);
}

/* --- the socket, while the engine is unavailable */

/* Checks for it, and watches the paths that lead to it now. */
static bool socket_found(struct engine *engine)
{
	paths_arm(engine->paths);
	engine->absent = access(engine->sockets[0], F_OK) < 0 &&
			 (!engine->sockets[1] || access(engine->sockets[1], F_OK) < 0);
	return !engine->absent;
}

static void connect_now(struct engine *engine)
{
	engine->failures = 0;
	loop_timer_set(engine->service->loop, &engine->reconnect, 0);
}

static void socket_maybe(void *data, int fd, uint32_t events)
{
	struct engine *engine = data;
	(void)fd;
	(void)events;
	if (paths_touched(engine->paths) && socket_found(engine))
		connect_now(engine);
}

/* inotify reports nothing when a file system is mounted over a folder or unmounted from it. */
void service_engines_mounted(struct service *service)
{
	for (size_t i = 0; service->engines && i < N_KINDS; i++) {
		struct engine *engine = &service->engines->engines[i];
		if (engine->paths && engine->absent && socket_found(engine))
			connect_now(engine);
	}
}

/* Without inotify, the back-off alone decides when to retry. */
static void socket_await(struct engine *engine)
{
	struct service *service = engine->service;
	struct error error;
	if (engine->paths) {
		socket_found(engine);
		return;
	}
	size_t count = engine_sockets(engine->kind, engine->sockets);
	engine->paths = count ? paths_new(engine->sockets, count, &error) : NULL;
	if (engine->paths && loop_add(service->loop, paths_fd(engine->paths), EPOLLIN, socket_maybe,
				      engine, &error) < 0)
		log_error(&service->log, LEVEL_WARNING, NULL, &error);
	if (engine->paths)
		socket_found(engine);
}

static void socket_forget(struct engine *engine)
{
	if (engine->paths)
		loop_remove(engine->service->loop, paths_fd(engine->paths));
	paths_free(engine->paths);
	engine->paths = NULL;
}

/* --- the stream of events */

static void connected(struct engine *engine)
{
	struct service *service = engine->service;
	log_write(&service->log, LEVEL_INFO, "%s: listening to its events",
		  source_kind_name(engine->kind));
	engine->failures = 0;
	engine->answers = true;
	engine->absent = false;
	if (engine->paths)
		paths_disarm(engine->paths);
	lookups_query_all(service->lookups, desired_of(service), engine->kind, LOOKUP_KEEP);
}

/* While an engine is unavailable, the last result for its containers is used as long as the process
 * runs; all are queried when the engine is back. An engine that sends no events may answer
 * nevertheless. */
static void disconnected(struct engine *engine, const struct error *failure)
{
	struct service *service = engine->service;
	if (engine->failures++ == 0)
		log_error(&service->log, LEVEL_WARNING, "trying again", failure);
	engine->failure = *failure;
	engine->answers = failure->errnum != EHOSTDOWN;
	if (engine->answers)
		lookups_query_all(service->lookups, desired_of(service), engine->kind, LOOKUP_IDLE);
	else
		engine_unavailable(engine, failure);
	loop_timer_set(service->loop, &engine->reconnect, retry_delay(engine->failures));
	socket_await(engine);
}

static void take_state(void *data, const struct error *failure)
{
	if (failure)
		disconnected(data, failure);
	else
		connected(data);
}

static void descriptor_ready(void *data, int fd, uint32_t events)
{
	const struct engine *engine = data;
	engine_events_ready(engine->events, fd, events);
}

static void take_descriptor(void *data, int fd, uint32_t events)
{
	struct engine *engine = data;
	struct error error;
	if (!events)
		loop_remove(engine->service->loop, fd);
	else if (loop_add(engine->service->loop, fd, events, descriptor_ready, engine, &error) < 0)
		log_error(&engine->service->log, LEVEL_ERROR, NULL, &error);
}

static void take_timer(void *data, long milliseconds)
{
	struct engine *engine = data;
	loop_timer_set(engine->service->loop, &engine->timeout, milliseconds);
}

static void timeout_due(void *data)
{
	const struct engine *engine = data;
	engine_events_timeout(engine->events);
}

static void reconnect_due(void *data)
{
	const struct engine *engine = data;
	engine_events_connect(engine->events);
}

static void engine_begin(struct engine *engine)
{
	const struct engine_events_owner owner = {
		.data = engine,
		.watch = take_descriptor,
		.timer = take_timer,
		.event = take_event,
		.lost = take_loss,
		.state = take_state,
	};
	engine->timeout = (struct timer){.fire = timeout_due, .data = engine};
	engine->reconnect = (struct timer){.fire = reconnect_due, .data = engine};
	engine->failures = 0;
	engine->answers = false;
	engine->failure.errnum = 0;
	engine->events = engine_events_new(engine->kind, &owner);
	engine_events_connect(engine->events);
}

static void engine_end(struct engine *engine)
{
	engine_events_free(engine->events);
	engine->events = NULL;
	socket_forget(engine);
	loop_timer_set(engine->service->loop, &engine->reconnect, -1);
	loop_timer_set(engine->service->loop, &engine->timeout, -1);
}

/* --- sources of the files */

static bool kind_used(const struct desired *desired, enum source_kind kind)
{
	for (size_t s = 0; s < desired->n_sets; s++)
		for (size_t i = 0; i < desired->sets[s].n_containers; i++)
			if (desired->sets[s].containers[i].source_kind == kind)
				return true;
	return false;
}

static void engines_begin(struct service *service)
{
	const struct engine_loop loop = {
		.data = service, .watch = questions_watch, .timer = questions_timer};
	struct service_engines *engines = memory_new(1, sizeof(*engines));
	engines->timeout = (struct timer){.fire = questions_timeout, .data = service};
	engines->gather = (struct timer){.fire = gather_due, .data = service};
	for (size_t i = 0; i < N_KINDS; i++)
		engines->engines[i] = (struct engine){.service = service, .kind = kinds[i]};
	service->engines = engines;
	service->lookups = lookups_new(&loop, take_answer, service);
}

static void engine_update(struct engine *engine)
{
	struct service *service = engine->service;
	const struct desired *desired = desired_of(service);
	const bool used = kind_used(desired, engine->kind);
	if (used && !engine->events)
		engine_begin(engine);
	else if (!used && engine->events)
		engine_end(engine);
	if (used && engine->answers)
		lookups_query_all(service->lookups, desired, engine->kind, LOOKUP_NEW);
	else if (used && engine->failure.errnum)
		lookups_fail(service->lookups, desired, engine->kind, &engine->failure);
}

void service_engines_update(struct service *service)
{
	if (!service->engines)
		engines_begin(service);
	lookups_keep(service->lookups, desired_of(service));
	for (size_t i = 0; i < N_KINDS; i++)
		engine_update(&service->engines->engines[i]);
}

void service_engines_reload(struct service *service)
{
	for (size_t i = 0; service->engines && i < N_KINDS; i++) {
		struct engine *engine = &service->engines->engines[i];
		if (!engine->events)
			continue;
		engine->failures = 0;
		if (engine->answers)
			lookups_query_all(service->lookups, desired_of(service), engine->kind,
					  LOOKUP_KEEP);
		else
			loop_timer_set(service->loop, &engine->reconnect, 0);
	}
}

static void engine_retry(const struct engine *engine, const struct container *container)
{
	const struct service *service = engine->service;
	char key[SOURCE_KEY_SIZE];
	if (container->source_kind == engine->kind &&
	    retry_due(service->retry, source_key(engine->kind, container->source, key),
		      service->deferred_at))
		lookups_query(service->lookups, engine->kind, container->source, LOOKUP_IDLE);
}

void service_engines_retry(struct service *service)
{
	const struct desired *desired = desired_of(service);
	for (size_t k = 0; k < N_KINDS; k++) {
		const struct engine *engine = &service->engines->engines[k];
		for (size_t s = 0; engine->answers && s < desired->n_sets; s++)
			for (size_t i = 0; i < desired->sets[s].n_containers; i++)
				engine_retry(engine, &desired->sets[s].containers[i]);
	}
}

void service_engines_free(struct service *service)
{
	if (!service->engines)
		return;
	for (size_t i = 0; i < N_KINDS; i++)
		if (service->engines->engines[i].events)
			engine_end(&service->engines->engines[i]);
	lookups_free(service->lookups);
	loop_timer_set(service->loop, &service->engines->gather, -1);
	free(service->engines);
}
