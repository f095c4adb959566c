/* Container engines: Docker and Podman, asked over HTTP on their unix sockets. */
#ifndef RECONCILE_ENGINE_H
#define RECONCILE_ENGINE_H

#include "base/arena.h"
#include "base/error.h"
#include "schema/model.h"

#include <jansson.h>
#include <stdbool.h>
#include <sys/types.h>

/* One of each kind, opened when it is first asked. An engine that cannot be reached is not tried
 * again: what is found belongs to one look. */
struct engines;

struct engines *engines_new(void);
void engines_free(struct engines *engines);

struct engine_container {
	const char *id;
	const char *started_at; /* in the engine's words: to tell one run from the next */
	const char *sandbox;    /* where the engine keeps its namespace, or "" */
	pid_t pid;              /* as the engine sees it; 0: it does not run */
	bool host_network;
};

/* `name`: a name, an id or its beginning, or Compose's "project/service". Strings go to the arena.
 * Fails with -ENOENT where there is no such container, -EHOSTDOWN where the engine cannot be
 * reached (both may change), else for good. */
int engine_inspect(struct engines *engines, enum source_kind kind, const char *name,
		   struct arena *arena, struct engine_container *ret_container,
		   struct error *error);

struct engine_member {
	const char *id;
	const char *name; /* the engine's, or the id */
};

/* The containers that run, in `arena`. Fails as above. */
int engine_list(struct engines *engines, enum source_kind kind, struct arena *arena,
		struct engine_member **ret_members, size_t *ret_count, struct error *error);

/* Any other answer of the engine's API: see engine_http_get. */
int engine_ask(struct engines *engines, enum source_kind kind, const char *path, json_t **ret_json,
	       struct error *error);

#endif
