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

/* `loop` is copied; NULL: engines_wait runs the questions. */
struct engines *engines_new(const struct engine_loop *loop);
/* Once no question is under way: see engine_inspect_end. */
void engines_free(struct engines *engines);

/* From the loop: the descriptor is ready for these (EPOLLIN, ...); the timer has fired. */
void engines_ready(struct engines *engines, int fd, uint32_t ready);
void engines_timeout(struct engines *engines);

/* Without a loop: waits until every question has its answer; at `until` (clock_milliseconds)
 * the rest fails as not answered in time. */
void engines_wait(struct engines *engines, int64_t until);
/* The same, but the rest goes on with the next call. */
void engines_run(struct engines *engines, int64_t until);

struct engine_inspection;

/* `container` is NULL where it failed: errnum ENOENT where there is no such container, EHOSTDOWN
 * where the engine cannot be reached or does not answer in time (both may change), else for good.
 */
typedef void engine_inspected(void *data, const struct engine_container *container,
			      const struct error *error);

/* Asks about a container by `name`: a name, an id or its beginning (engine_name_means), or
 * Compose's "project/service". Strings go to the arena. `report` is called once, after this has
 * returned. Several questions to one engine run side by side. */
struct engine_inspection *engine_inspect_begin(struct engines *engines, enum source_kind kind,
					       const char *name, struct arena *arena,
					       engine_inspected *report, void *data);
/* If a Compose service runs as several containers, selects the one with this id, running or not.
 * Call it right after engine_inspect_begin. `id` may be NULL: the inspection fails with ENOTUNIQ
 * and fills in the candidates, which are valid as long as the inspection's arena. */
void engine_inspect_prefer(struct engine_inspection *inspection, const char *id,
			   struct engine_candidates *ret_candidates);
/* `report` is not called any more. */
void engine_inspect_end(struct engine_inspection *inspection);

/* The same for who waits for each answer; without a loop only. An engine that was not reached is
 * not tried again. Returns 0 or -errnum, as above. */
int engine_inspect(struct engines *engines, enum source_kind kind, const char *name,
		   struct arena *arena, struct engine_container *ret_container,
		   struct error *error);

struct engine_member {
	const char *id;
	const char *name; /* the engine's, or the id */
};

/* `count` 0 and an error: they are not known. */
typedef void engine_listed(void *data, const struct engine_member *members, size_t count,
			   const struct error *error);

/* The containers that run, in `arena`. `report` is called once, after this has returned. */
void engine_list_begin(struct engines *engines, enum source_kind kind, struct arena *arena,
		       engine_listed *report, void *data);

/* Any other answer of the engine's API. `path` is encoded already; *ret_json is the caller's to
 * json_decref. Fails as above. */
int engine_get(struct engines *engines, enum source_kind kind, const char *path, json_t **ret_json,
	       struct error *error);

#endif
