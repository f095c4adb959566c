/* Declarations shared by the files of container_engine/ that inspect containers. */
#ifndef CONTAINER_ENGINE_INTERNAL_H
#define CONTAINER_ENGINE_INTERNAL_H

#include "container_engine/container.h"
#include "container_engine/http.h"

struct engines {
	struct engine_http *http;
	struct error down[N_SOURCE_KINDS]; /* of blocking requests; errnum 0: reachable */
};

/* A query to one engine, and its caller. */
struct query {
	enum source_kind kind;
	struct arena *arena;
	const char *name;                     /* the file's name for the container */
	const char *preferred;                /* an id, or NULL */
	struct engine_candidates *candidates; /* the caller's, or NULL */
};

/* container_parse.c */
int engine_malformed(const struct query *query, const char *what, struct error *error);
bool engine_id_plausible(const json_t *json);
/* The displayed name of a container in a listing. */
const char *engine_member_name(const json_t *item);
/* Strings go to the query's arena. */
int engine_container_parse(const struct query *query, const json_t *json,
			   struct engine_container *container, struct error *error);

/* compose_service.c: the container to inspect. */
struct service_choice {
	const char *id;
	const char *note; /* -ENOENT: there is none; -ENOTUNIQ: there are several, and the query's
			     candidates are filled in. `json`: the list of containers. */
	bool others;
};

/* -ENOENT: there is none; -ENOTUNIQ: of several it is not known, and the query's candidates are
 * filled in. `json`: the list of containers. */
int engine_service_choose(const struct query *query, const json_t *json,
			  struct service_choice *ret_choice, struct error *error);

#endif
