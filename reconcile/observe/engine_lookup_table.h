/* The table of containers to look up at engines, and their results. */
#ifndef RECONCILE_OBSERVE_ENGINE_LOOKUP_TABLE_H
#define RECONCILE_OBSERVE_ENGINE_LOOKUP_TABLE_H

#include "container_engine/engine.h"
#include "reconcile/observe/lookup_result.h"

#include <sys/stat.h>

#define LOOKUP_BUCKETS 256

/* The result of an answer. */
struct result {
	struct arena *arena; /* NULL: no answer yet */
	struct lookup_result lookup_result;
	int process; /* when ready: the folder of its first process in /proc */
};

struct lookup;

/* `container` is NULL if there is none, and `error` has the reason. */
typedef void scaled_found(struct lookup *lookup, const struct engine_container *container,
			  const struct error *error);

/* A container of a scaled Compose service. */
struct candidate {
	struct lookup *lookup;
	struct engine_inspection *inspection; /* NULL: answered */
	struct engine_container container;
	bool has_attachment; /* it has the attachment */
};

/* A pending query. */
struct engine_query {
	struct arena *arena; /* NULL: none */
	struct engine_inspection *inspection;
	unsigned inspections;
	bool unprefer; /* the process of the previous result has ended */
	/* For a Compose service with several containers (engine_scaled.h). */
	struct engine_candidates ids;
	struct candidate *candidates;
	size_t n_candidates, unanswered;
	struct error scaled, unreadable; /* errnum 0: none */
	scaled_found *found;
	int64_t sent; /* process_now() */
	struct engine_container container;
	int process;      /* its folder in /proc, or -1 */
	struct stat stat; /* inode of its namespace */
};

struct lookup {
	struct lookups *lookups;
	enum source_kind kind;
	char *source;
	struct result result;
	struct engine_query query;
	bool drop_unanswered; /* an engine that does not answer invalidates the result */
	bool repeat;          /* query once more after the pending query */
	bool needed;
	char **holders; /* of a Compose service: "SET/CONTAINER" of the containers that name it */
	size_t n_holders;
	int64_t stopped; /* clock_milliseconds() since its container is not running, although others
			    of the service are; 0: it is running */
	struct lookup *next;
};

struct lookups {
	struct engines *engines;
	lookup_answered *answered;
	void *data;
	struct stat host;
	struct lookup *buckets[LOOKUP_BUCKETS];
	size_t count, pending;
	int64_t until; /* clock_milliseconds() of the end of the time budget; 0: not started */
};

/* The place of the lookup; NULL in it: not created yet. */
struct lookup **lookup_place(struct lookups *lookups, enum source_kind kind, const char *source);
/* Returns the lookup, and creates it if necessary. */
struct lookup *lookup_of(struct lookups *lookups, enum source_kind kind, const char *source);
bool lookup_possible(enum source_kind kind);
/* Opens the namespace of a process, given by its folder in /proc. */
int lookup_namespace_open(const struct lookups *lookups, int process, struct stat *ret_stat,
			  struct error *error);
/* Whether the process of the result still runs in the same namespace. */
bool lookup_result_is_valid(const struct lookup *lookup);
/* Removes the lookups for which `which` returns true. */
void lookups_drop(struct lookups *lookups, bool (*which)(struct lookup *lookup));
void lookup_result_clear(struct result *result);
void lookup_process_close(struct engine_query *query);
/* Cancels the pending query, if there is one. */
void lookup_query_end(struct lookup *lookup);
/* Marks the lookups of the desired state, in which several containers may name the same source. */
void lookups_update(struct lookups *lookups, const struct desired *desired);
/* Removes the mark; returns whether there was none. */
bool lookup_unneeded(struct lookup *lookup);

#endif
