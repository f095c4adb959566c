/* An event of a container, as an engine reports it. */
#ifndef CONTAINER_ENGINE_EVENT_H
#define CONTAINER_ENGINE_EVENT_H

#include "schema/model.h"

/* The events after which a container is inspected again; others are ignored. */
enum engine_action {
	ENGINE_START,
	ENGINE_DIE,
	ENGINE_RESTART,
	ENGINE_RENAME,
	ENGINE_DESTROY,
};

/* Strings are valid during the call. NULL: the engine did not send it. */
struct engine_event {
	enum source_kind kind;
	enum engine_action action;
	const char *id;
	const char *name;     /* the new name, for a rename */
	const char *old_name; /* the former name, for a rename; Podman does not report it */
	const char *project, *service; /* Compose's labels */
};

#endif
