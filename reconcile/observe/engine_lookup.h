/* Looks up containers at their engines before an observation, so that neither an observation nor
 * the lock waits for an engine. */
#ifndef RECONCILE_OBSERVE_ENGINE_LOOKUP_H
#define RECONCILE_OBSERVE_ENGINE_LOOKUP_H

#include "container_engine/engine.h"
#include "reconcile/observe/lookup_result.h"
#include "schema/model.h"

struct lookups;

/* `loop` and `answered` may be NULL: lookups_wait then runs the queries. */
struct lookups *lookups_new(const struct engine_loop *loop, lookup_answered *answered, void *data);
/* Cancels pending queries. */
void lookups_free(struct lookups *lookups);
struct engines *lookups_engines(struct lookups *lookups);

/* The containers to query. A previous result is valid until the answer. */
enum lookup_urgency {
	LOOKUP_NEW,          /* without a result and without a pending query */
	LOOKUP_UNLESS_READY, /* without a pending query and without a process */
	LOOKUP_OUTDATED,     /* without a pending query, whose process has ended */
	LOOKUP_IDLE,         /* without a pending query */
	LOOKUP_KEEP,         /* any; once more after a pending query */
	LOOKUP_STALE, /* the same; an engine that does not answer invalidates the previous result */
};

/* Queries the container's engine. Does nothing for containers without an engine. */
void lookups_query(struct lookups *lookups, enum source_kind kind, const char *source,
		   enum lookup_urgency urgency);
/* The same for all containers of one engine. */
void lookups_query_all(struct lookups *lookups, const struct desired *desired,
		       enum source_kind kind, enum lookup_urgency urgency);
/* The engine cannot be reached: its containers without a process and without a pending query get
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
/* Whether queries are pending. */
bool lookups_pending(const struct lookups *lookups);

/* Without a loop: waits until each query is answered, or the time budget is used up: 10 s, and 0.1
 * s more for each container, from the first call on. A later call waits for half a second.
 * Unanswered queries fail. Then suggests names for containers that their engine does not have. */
void lookups_wait(struct lookups *lookups);
/* Without a loop: waits until each query is answered, or half a second has passed. Unanswered
 * queries continue with the next call. */
void lookups_run(struct lookups *lookups);
/* Whether the process of a result has ended. */
bool lookups_outdated(const struct lookups *lookups);

/* The result of the last answer. The namespace is opened through the process that was found, never
 * through another process with the same id. Strings go to the arena. */
struct lookup_result lookups_locate(struct lookups *lookups, enum source_kind kind,
				    const char *source, const struct stat *host,
				    struct arena *arena);

#endif
