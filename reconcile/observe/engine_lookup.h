/* Looks containers up at their engines, ahead of an observation and beside other work, so that
 * neither an observation nor the lock waits for an engine. */
#ifndef RECONCILE_OBSERVE_ENGINE_LOOKUP_H
#define RECONCILE_OBSERVE_ENGINE_LOOKUP_H

#include "container_engine/engine.h"
#include "reconcile/observe/lookup_result.h"
#include "schema/model.h"

struct lookups;

/* `loop` and `answered` may be NULL: lookups_wait then runs the queries. */
struct lookups *lookups_new(const struct engine_loop *loop, lookup_answered *answered, void *data);
/* Ends what is under way. */
void lookups_free(struct lookups *lookups);
struct engines *lookups_engines(struct lookups *lookups);

/* Which containers are queried. A previous result is used until the answer. */
enum lookup_urgency {
	LOOKUP_NEW,          /* of which nothing is known, and that no query is under way for */
	LOOKUP_UNLESS_READY, /* without a query under way, whose process is not there */
	LOOKUP_OUTDATED,     /* without a query under way, whose process is no longer there */
	LOOKUP_IDLE,         /* without a query under way */
	LOOKUP_KEEP,         /* any; once more after a query that is under way */
	LOOKUP_STALE,        /* the same; and an engine that does not answer ends what was found */
};

/* Asks the container's engine. Does nothing for containers without an engine. */
void lookups_query(struct lookups *lookups, enum source_kind kind, const char *source,
		   enum lookup_urgency urgency);
/* The same for all containers of one engine. */
void lookups_query_all(struct lookups *lookups, const struct desired *desired,
		       enum source_kind kind, enum lookup_urgency urgency);
/* The engine cannot be reached: its containers that were not found and have no pending query get
 * this result. */
void lookups_fail(struct lookups *lookups, const struct desired *desired, enum source_kind kind,
		  const struct error *error);
/* What the runtime that starts a container says of it. */
struct known_container {
	pid_t pid;
	const char *id;    /* the engine's, or NULL */
	bool engine_links; /* as in struct live_ns */
};
/* Sets what the container's engine would answer, which is not queried. Returns 1; 0 if the process
 * is in the host's network namespace, and then nothing is set; or a negative errno. */
int lookups_set(struct lookups *lookups, enum source_kind kind, const char *source,
		const struct known_container *known, struct error *error);
/* Forgets the containers that the desired state does not have. */
void lookups_keep(struct lookups *lookups, const struct desired *desired);
/* Visits the containers of one engine. `id`: of the container that was found, or NULL. The visitor
 * may start queries. */
typedef void lookup_visit(void *data, const char *source, const char *id);
void lookups_visit(struct lookups *lookups, enum source_kind kind, lookup_visit *visit, void *data);
/* Whether queries are under way. */
bool lookups_pending(const struct lookups *lookups);

/* Without a loop: until each query has its answer, or the time budget is used up: 10 s, and 0.1
 * s more for each container, from the first call on. A call that comes later than that waits for
 * half a second. What is not answered by then has failed. */
void lookups_wait(struct lookups *lookups);
/* Without a loop: until each query has its answer, or half a second has passed. What is not
 * answered by then goes on with the next call. */
void lookups_run(struct lookups *lookups);
/* Whether a process that was found is no longer there. */
bool lookups_outdated(const struct lookups *lookups);

/* What the last answer led to. The namespace is opened by way of the process that was found, which
 * is never another one of the same number. Strings go to the arena. */
struct lookup_result lookups_locate(struct lookups *lookups, enum source_kind kind,
				    const char *source, const struct stat *host,
				    struct arena *arena);

#endif
