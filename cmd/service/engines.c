/* The engines' events, in the service's loop. */
#include "base/memory.h"
#include "cmd/service/service.h"
#include "engine/event.h"
#include "schema/words.h"

#include <stdlib.h>
#include <sys/epoll.h>

/* Those of the source kinds that are engines. */
static const enum source_kind kinds[] = {SOURCE_DOCKER, SOURCE_PODMAN};
enum { N_KINDS = sizeof(kinds) / sizeof(kinds[0]) };

struct engine {
	struct service *service;
	enum source_kind kind;
	struct engine_events *events; /* NULL: no container of the files is this engine's */
	struct timer timeout, reconnect;
	unsigned failures; /* to connect, in a row */
};

struct service_engines {
	struct engine engines[N_KINDS];
};

/* event NULL: all containers of the engine. */
static void targets_stale(const struct engine *engine, const struct engine_event *event)
{
	struct service *service = engine->service;
	for (size_t i = 0; service->live && i < service->live->n_targets; i++) {
		struct target *target = &service->live->targets[i];
		if (target->container->source_kind != engine->kind ||
		    (event && !engine_event_concerns(event, target->container->source, target->id)))
			continue;
		target->stale = true;
		service->dirty = true;
	}
}

static void take_event(void *data, const struct engine_event *event)
{
	targets_stale(data, event);
}

static void take_loss(void *data)
{
	const struct engine *engine = data;
	log_write(&engine->service->log, LEVEL_WARNING,
		  "%s sent an event of more than 1 MiB: looking at all its containers",
		  source_kind_name(engine->kind));
	targets_stale(engine, NULL);
}

/* A container of an engine that is away is neither gone nor there: nothing is done about it until
 * the engine is back, and then all are looked at. */
static void take_state(void *data, const struct error *failure)
{
	struct engine *engine = data;
	const struct log *log = &engine->service->log;
	if (!failure) {
		log_write(log, LEVEL_INFO, "%s: listening to its events",
			  source_kind_name(engine->kind));
		engine->failures = 0;
		targets_stale(engine, NULL);
		return;
	}
	if (engine->failures++ == 0)
		log_error(log, LEVEL_WARNING, "trying again", failure);
	loop_timer_set(engine->service->loop, &engine->reconnect, retry_delay(engine->failures));
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
	engine->events = engine_events_new(engine->kind, &owner);
	engine_events_connect(engine->events);
}

static void engine_end(struct engine *engine)
{
	engine_events_free(engine->events);
	engine->events = NULL;
	loop_timer_set(engine->service->loop, &engine->reconnect, -1);
	loop_timer_set(engine->service->loop, &engine->timeout, -1);
}

static bool kind_used(const struct desired *desired, enum source_kind kind)
{
	for (size_t s = 0; s < desired->n_sets; s++)
		for (size_t i = 0; i < desired->sets[s].n_containers; i++)
			if (desired->sets[s].containers[i].source_kind == kind)
				return true;
	return false;
}

void service_engines_update(struct service *service)
{
	if (!service->engines)
		service->engines = memory_new(1, sizeof(*service->engines));
	for (size_t i = 0; i < N_KINDS; i++) {
		struct engine *engine = &service->engines->engines[i];
		bool used = kind_used(service->desired, kinds[i]);
		engine->service = service;
		engine->kind = kinds[i];
		if (used && !engine->events)
			engine_begin(engine);
		else if (!used && engine->events)
			engine_end(engine);
	}
}

void service_engines_free(struct service *service)
{
	for (size_t i = 0; service->engines && i < N_KINDS; i++)
		if (service->engines->engines[i].events)
			engine_end(&service->engines->engines[i]);
	free(service->engines);
}
