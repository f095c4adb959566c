/* The table of containers to look up at engines, and their results. */
#ifndef RECONCILE_OBSERVE_ENGINE_LOOKUP_TABLE_H
#define RECONCILE_OBSERVE_ENGINE_LOOKUP_TABLE_H

#include "container_engine/engine.h"
#include "reconcile/observe/lookup_result.h"

#include <sys/stat.h>

#define LOOKUP_BUCKETS 256

/* What an answer led to. */
struct result {
	struct arena *arena; /* NULL: there was none yet */
	struct lookup_result lookup_result;
	int process; /* when ready: the folder of its first process in /proc */
};

struct lookup;

/* `container` is NULL where there is none, and `error` why. */
typedef void scaled_found(struct lookup *lookup, const struct engine_container *container,
			  const struct error *error);

/* One of the containers of a scaled Compose service. */
struct candidate {
	struct lookup *lookup;
	struct engine_inspection *inspection; /* NULL: answered */
	struct engine_container container;
	bool holds; /* it has the attachment */
};

/* A query that is under way. */
struct engine_query {
	struct arena *arena; /* NULL: none is */
	struct engine_inspection *inspection;
	unsigned inspections;
	bool unprefer; /* what was found before does not run any more */
	/* Of a Compose service that runs as several containers (engine_scaled.h). */
	struct engine_candidates ids;
	struct candidate *candidates;
	size_t n_candidates, unanswered;
	struct error scaled, unreadable; /* errnum 0: none is */
	scaled_found *found;
	int64_t sent; /* process_now() */
	struct engine_container container;
	int process;      /* its folder in /proc, or -1 */
	struct stat stat; /* of its namespace */
};

struct lookup {
	struct lookups *lookups;
	enum source_kind kind;
	char *source;
	struct result result;
	struct engine_query query;
	bool drop_unanswered; /* the result ends when the engine does not answer */
	bool repeat;          /* query once more after the pending query */
	bool wanted;
	char **holders; /* of a Compose service: "SET/CONTAINER" of the files' that name it */
	size_t n_holders;
	int64_t stopped; /* clock_milliseconds(): since when its container does not run, although
			    others of the service do; 0: it does */
	struct lookup *next;
};

struct lookups {
	struct engines *engines;
	lookup_answered *answered;
	void *data;
	struct stat host;
	struct lookup *buckets[LOOKUP_BUCKETS];
	size_t count, pending;
	int64_t until; /* clock_milliseconds(): the end of the time budget; 0: it has not begun */
};

/* Where the lookup is, or NULL is until it is made. */
struct lookup **lookup_place(struct lookups *lookups, enum source_kind kind, const char *source);
/* Makes it where there is none. */
struct lookup *lookup_of(struct lookups *lookups, enum source_kind kind, const char *source);
bool lookup_possible(enum source_kind kind);
/* Opens the namespace of a process, which is given by its folder in /proc. */
int lookup_namespace_open(const struct lookups *lookups, int process, struct stat *ret_stat,
			  struct error *error);
/* Whether the process that was found is still there, in the same namespace. */
bool lookup_result_holds(const struct lookup *lookup);
/* Removes those for which `which` returns true. */
void lookups_drop(struct lookups *lookups, bool (*which)(struct lookup *lookup));
void lookup_result_clear(struct result *result);
void lookup_process_close(struct engine_query *query);
/* Ends the query that is under way, if one is. */
void lookup_query_end(struct lookup *lookup);
/* Marks those that the desired state has, which may name one several times. */
void lookups_update(struct lookups *lookups, const struct desired *desired);
/* Takes the owner tag back; whether there was none. */
bool lookup_unwanted(struct lookup *lookup);

#endif
