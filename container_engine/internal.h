/* What the parts of container_engine/ that inspect containers share. */
#ifndef CONTAINER_ENGINE_INTERNAL_H
#define CONTAINER_ENGINE_INTERNAL_H

#include "container_engine/container.h"
#include "container_engine/http.h"

struct engines {
	struct engine_http *http;
	struct error down[SOURCE_PODMAN + 1]; /* for who waits for each answer; errnum 0: not */
};

/* A question to one engine, and its caller. */
struct query {
	enum source_kind kind;
	struct arena *arena;
	const char *name;                     /* as the file has it */
	const char *preferred;                /* an id, or NULL */
	struct engine_candidates *candidates; /* the caller's, or NULL */
};

/* container_parse.c */
int engine_malformed(const struct query *query, const char *what, struct error *error);
bool engine_id_plausible(const json_t *json);
/* What people call a container of a list. */
const char *engine_member_name(const json_t *item);
/* Strings go to the query's arena. */
int engine_container_parse(const struct query *query, const json_t *json,
			   struct engine_container *container, struct error *error);

/* compose_service.c: the container to ask about. */
struct service_choice {
	const char *id;
	const char *note; /* as in struct engine_container */
	bool others;
};

/* -ENOENT: there is none; -ENOTUNIQ: of several it is not known, and the query's candidates are
 * filled in. `json`: the list of containers. */
int engine_service_choose(const struct query *query, const json_t *json,
			  struct service_choice *ret_choice, struct error *error);

#endif
