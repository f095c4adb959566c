/* One pass: observe, plan and, unless it is a preview, apply. */
#ifndef CMD_SESSION_H
#define CMD_SESSION_H

#include "cmd/confirm_guard.h"
#include "cmd/options.h"
#include "reconcile/apply/apply.h"
#include "reconcile/observe/observe.h"
#include "reconcile/plan/fingerprint.h"
#include "reconcile/probe/probe.h"

#include <jansson.h>

struct run {
	struct arena *arena;
	struct live *live;
	const struct plan *plan;    /* after apply: with the results */
	struct selection selection; /* the steps that this run applies */
	struct outcome *outcomes;   /* NULL: nothing was tried */
	const char **stale_reasons; /* the reasons why a saved plan is not valid any more, a
				       sentence each */
	size_t n_stale_reasons;
	struct confirm_job job; /* with --confirm, if there were changes */
	struct confirm_guard guard;
	json_t *earlier;    /* the steps of earlier passes, for the JSON document; NULL: none. Not
			       freed with the run */
	struct error fault; /* of the run as a whole; CODE_NONE: none */
	size_t failed;      /* number of failed steps after apply, including blocked ones */
	int exit_code;
	struct run *retry; /* the retry (cmd/apply_retry.h), which replaces this run's steps and
			      errors; or NULL */
};

typedef int run_pass(struct run *run, const struct desired *desired, const struct options *options,
		     struct error *error);

/* Observes and plans. Returns 0, and the caller frees with run_free; or a negative errno. */
run_pass run_observe;
void run_free(struct run *run);

/* Observes, plans, and applies the plan unless it is refused. The lock is held. With
 * options->saved: only if the plan equals the saved one, made from the same live state. */
int run_locked(struct run *run, const struct desired *desired, struct lookups *lookups,
	       const struct options *options, const struct apply_lock *lock, struct error *error);
/* Finds the containers, and takes the lock afterwards, so that no engine delays other processes. */
int run_lock(struct lookups *lookups, const struct desired *desired, const struct options *options,
	     struct apply_lock *ret_lock, struct error *error);
/* As run_observe; queries the engines about all containers again. */
int run_reobserve(struct run *run, const struct desired *desired, struct lookups *lookups,
		  const struct options *options, struct error *error);
/* As run_observe, with the containers that were found before. */
int run_observe_at(struct run *run, const struct desired *desired, struct lookups *lookups,
		   const struct options *options, struct error *error);
/* Applies the steps that act, and sets the exit code. Links that were created for some containers
 * alone are not announced yet (apply_announce). */
void run_do(struct run *run, const struct options *options);
void run_exit_code(struct run *run);
/* The fingerprint of the state that the plan was made from; in the run's arena. */
struct fingerprint run_fingerprint(const struct run *run, const struct desired *desired);

#endif
