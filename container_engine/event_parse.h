/* Parses one event from a line of JSON. */
#ifndef CONTAINER_ENGINE_EVENT_PARSE_H
#define CONTAINER_ENGINE_EVENT_PARSE_H

#include "container_engine/event.h"

#include <stdbool.h>
#include <stddef.h>

enum engine_event_line {
	ENGINE_EVENT_IS,
	ENGINE_EVENT_OTHER, /* not relevant */
	ENGINE_EVENT_BAD,
};

typedef void engine_event_take(void *data, const struct engine_event *event);

/* Calls `take` for a relevant event. */
enum engine_event_line engine_event_parse(enum source_kind kind, const char *line, size_t length,
					  engine_event_take *take, void *data);

/* Whether the event may concern the container that a file's `source` names. `id`: the container
 * that was found last, or NULL; Podman does not report the old name of a renamed container. */
bool engine_event_concerns(const struct engine_event *event, const char *source, const char *id);

/* The filters of GET /events as JSON, so that the engine sends only relevant events. Podman has
 * other names for some actions. */
extern const char engine_event_filters[];

#endif
