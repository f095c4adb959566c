/* The stream of an engine's container events, in the caller's epoll loop. It has no thread, and no
 * timer and no wake-up while nothing happens. */
#ifndef CONTAINER_ENGINE_EVENT_STREAM_H
#define CONTAINER_ENGINE_EVENT_STREAM_H

#include "container_engine/event.h"
#include "lib/error.h"

#include <stdint.h>

/* The owner's callbacks. None of them may free the stream; `state` may connect it again. */
struct engine_events_owner {
	void *data;
	/* Watch the descriptor for these events (EPOLLIN, EPOLLOUT) from now on; 0: no longer. */
	void (*watch)(void *data, int fd, uint32_t events);
	/* Call engine_events_timeout once after that many milliseconds; -1: cancel the timer. */
	void (*timer)(void *data, long milliseconds);
	void (*event)(void *data, const struct engine_event *event);
	/* An event of more than 1 MiB was dropped; its container is unknown. */
	void (*lost)(void *data);
	/* Connected: all events since engine_events_connect will arrive, some of them twice, so an
	 * observation that begins now misses nothing. Not connected: the reason; nothing more
	 * arrives until the owner connects again. */
	void (*state)(void *data, const struct error *failure);
};

struct engine_events;

/* Does not connect. `owner` is copied. */
struct engine_events *engine_events_new(enum source_kind kind,
					const struct engine_events_owner *owner);
/* Removes its descriptors and its timer from the loop. */
void engine_events_free(struct engine_events *events);

/* Connects; `state` reports the result, never before this function returns. Closes an earlier
 * connection. */
void engine_events_connect(struct engine_events *events);

/* The descriptor is ready for these (EPOLLIN, EPOLLOUT, EPOLLERR, EPOLLHUP). */
void engine_events_ready(struct engine_events *events, int fd, uint32_t ready);
void engine_events_timeout(struct engine_events *events);

#endif
