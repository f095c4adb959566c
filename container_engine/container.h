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
	const char *name;       /* without a slash before it, or "" */
	const char *started_at; /* as the engine writes it: it differs between two runs */
	const char *sandbox;    /* where the engine keeps its namespace, or "" */
	pid_t pid;              /* as the engine sees it; 0: it does not run */
	bool host_network;
	uid_t user;       /* whose engine says so (engine_http_user) */
	const char *note; /* a sentence of warning about which container it is, or NULL */
	bool others;      /* it is one of a Compose service, of which others run */
};

/* The containers of a Compose service that run, by their numbers. */
struct engine_candidates {
	const char **ids;
	size_t count;
};

/* The sentence of warning that the attachments of a service stay with the container; `scaled` is
 * the error of such a question. */
const char *engine_stays(struct arena *arena, const struct error *scaled, const char *name);

#endif
