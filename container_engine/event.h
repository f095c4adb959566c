/* An event of a container, as an engine reports it. */
#ifndef CONTAINER_ENGINE_EVENT_H
#define CONTAINER_ENGINE_EVENT_H

#include "schema/model.h"

/* What leads to a container being read again; what else engines report is left out. */
enum engine_action {
	ENGINE_START,
	ENGINE_DIE,
	ENGINE_RESTART,
	ENGINE_RENAME,
	ENGINE_DESTROY,
};

/* Strings are valid as long as the call. What the engine did not say is NULL. */
struct engine_event {
	enum source_kind kind;
	enum engine_action action;
	const char *id;
	const char *name;              /* the new one, for a rename */
	const char *old_name;          /* of a rename; Podman does not tell it */
	const char *project, *service; /* Compose's */
};

#endif
