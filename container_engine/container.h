/* A container, as its engine describes it. */
#ifndef CONTAINER_ENGINE_CONTAINER_H
#define CONTAINER_ENGINE_CONTAINER_H

#include "lib/arena.h"
#include "lib/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct engine_container {
	const char *id;
	const char *name;       /* without the leading slash, or "" */
	const char *started_at; /* start time in the engine's format: it differs between two runs */
	const char *sandbox;    /* the path of its namespace, or "" */
	pid_t pid;              /* in the engine's pid namespace; 0: not running */
	bool host_network;
	uid_t user;       /* the user of the engine that reported it (engine_http_user) */
	const char *note; /* a warning sentence about the choice of the container, or NULL */
	bool others;      /* its Compose service has other running containers */
};

/* The running containers of a Compose service, by their numbers. */
struct engine_candidates {
	const char **ids;
	size_t count;
};

/* The warning sentence that the attachments of a service stay with the container; `scaled` is the
 * error of a query for a scaled service. */
const char *engine_stays(struct arena *arena, const struct error *scaled, const char *name);

#endif
