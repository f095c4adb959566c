/* Parses one event from a line of JSON. */
#ifndef CONTAINER_ENGINE_EVENT_PARSE_H
#define CONTAINER_ENGINE_EVENT_PARSE_H

#include "container_engine/event.h"

#include <stdbool.h>
#include <stddef.h>

enum engine_event_line {
	ENGINE_EVENT_IS,
	ENGINE_EVENT_OTHER, /* of no interest */
	ENGINE_EVENT_BAD,
};

typedef void engine_event_take(void *data, const struct engine_event *event);

/* Calls `take` where it is one. */
enum engine_event_line engine_event_parse(enum source_kind kind, const char *line, size_t length,
					  engine_event_take *take, void *data);

/* Whether it may be about the container that a file's `source` means. `id`: of the container that
 * was found last, or NULL; Podman does not tell the old name of one that was renamed. */
bool engine_event_concerns(const struct engine_event *event, const char *source, const char *id);

/* The filters of GET /events as JSON: an engine need not tell what nobody wants. Podman calls some
 * actions by other names. */
extern const char engine_event_filters[];

#endif
