/* The table of containers that are looked up: what engine_lookup.c and engine_lookup_table.c share.
 */
#ifndef RECONCILE_OBSERVE_ENGINE_LOOKUP_TABLE_H
#define RECONCILE_OBSERVE_ENGINE_LOOKUP_TABLE_H

#include "reconcile/observe/engine_lookup.h"

#include <sys/stat.h>

#define LOOKUP_BUCKETS 256

/* What an answer led to. */
struct result {
	struct arena *arena; /* NULL: there was none yet */
	struct lookup_result lookup_result;
	int process; /* when ready: the folder of its first process in /proc */
};

/* A question that is under way. */
struct question {
	struct arena *arena; /* NULL: none is */
	struct engine_inquiry *inquiry;
	unsigned looks;
	bool unprefer; /* what was found before does not run any more */
	/* Of a Compose service that runs as several containers: those, which of them is asked
	 * about, and what is wrong. */
	struct engine_candidates candidates;
	size_t candidate;
	struct error scaled;
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
	struct question question;
	bool doubted; /* the result ends when the engine does not answer */
	bool again;   /* ask once more after the question */
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
	size_t count, asking;
};

/* Where the lookup is, or NULL is until it is made. */
struct lookup **lookup_place(struct lookups *lookups, enum source_kind kind, const char *source);
/* Makes it where there is none. */
struct lookup *lookup_of(struct lookups *lookups, enum source_kind kind, const char *source);
bool lookup_possible(enum source_kind kind);
void lookup_result_clear(struct result *result);
void lookup_process_close(struct question *question);
/* Ends the question that is under way, if one is. */
void lookup_question_end(struct lookup *lookup);
/* Marks those that the desired state has, which may name one several times. */
void lookups_want(struct lookups *lookups, const struct desired *desired);
/* Takes the mark back; whether there was none. */
bool lookup_unwanted(struct lookup *lookup);

#endif
