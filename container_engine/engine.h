/* Client of the container engines Docker and Podman: HTTP on their unix sockets. */
#ifndef CONTAINER_ENGINE_ENGINE_H
#define CONTAINER_ENGINE_ENGINE_H

#include "container_engine/container.h"
#include "container_engine/loop.h"
#include "lib/arena.h"
#include "lib/error.h"
#include "schema/model.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* The clients of all engines, and their requests. */
struct engines;

/* `loop` is copied; NULL: engines_wait runs the requests. */
struct engines *engines_new(const struct engine_loop *loop);
/* No inspection may be pending: see engine_inspect_end. */
void engines_free(struct engines *engines);

/* From the loop: the descriptor is ready for these (EPOLLIN, ...); the timer has fired. */
void engines_ready(struct engines *engines, int fd, uint32_t ready);
void engines_timeout(struct engines *engines);

/* Without a loop: waits until every request is answered; at `until` (clock_milliseconds) the rest
 * fails as not answered in time. */
void engines_wait(struct engines *engines, int64_t until);
/* The same, but unanswered requests continue with the next call. */
void engines_run(struct engines *engines, int64_t until);

struct engine_inspection;

/* `container` is NULL on failure: errnum ENOENT if there is no such container, EHOSTDOWN if the
 * engine cannot be reached or does not answer in time (both are temporary), otherwise a permanent
 * error. */
typedef void engine_inspected(void *data, const struct engine_container *container,
			      const struct error *error);

/* Inspects the container `name`: a name, an id or its beginning (engine_name_means), or Compose's
 * "project/service". Strings go to the arena. `report` is called once, after this function has
 * returned. Several inspections of one engine run concurrently. */
struct engine_inspection *engine_inspect_begin(struct engines *engines, enum source_kind kind,
					       const char *name, struct arena *arena,
					       engine_inspected *report, void *data);
/* If a Compose service runs as several containers, selects the one with this id, running or not.
 * Call it right after engine_inspect_begin. `id` may be NULL: the inspection fails with ENOTUNIQ
 * and fills in the candidates, which are valid as long as the inspection's arena. */
void engine_inspect_prefer(struct engine_inspection *inspection, const char *id,
			   struct engine_candidates *ret_candidates);
/* Cancels the inspection: `report` is not called. */
void engine_inspect_end(struct engine_inspection *inspection);

/* The blocking form, without a loop only. An engine that was not reached is not tried again.
 * Returns 0 or -errnum, as above. */
int engine_inspect(struct engines *engines, enum source_kind kind, const char *name,
		   struct arena *arena, struct engine_container *ret_container,
		   struct error *error);

struct engine_member {
	const char *id;
	const char *name; /* the engine's name, or the id */
};

/* `count` 0 and an error: the containers are not known. */
typedef void engine_listed(void *data, const struct engine_member *members, size_t count,
			   const struct error *error);

/* Lists the running containers, in `arena`. `report` is called once, after this function has
 * returned. */
void engine_list_begin(struct engines *engines, enum source_kind kind, struct arena *arena,
		       engine_listed *report, void *data);

/* Any other GET request of the engine's API. `path` is encoded already; the caller releases
 * *ret_json with json_decref. Fails as above. */
int engine_get(struct engines *engines, enum source_kind kind, const char *path, json_t **ret_json,
	       struct error *error);
/* A POST request, in the same way. Docker alone: `mvapply docker-plugin` creates networks. */
int engine_post(struct engines *engines, enum source_kind kind, const char *path,
		const json_t *body, json_t **ret_json, struct error *error);
/* A DELETE request, in the same way. */
int engine_delete(struct engines *engines, enum source_kind kind, const char *path,
		  struct error *error);

#endif
