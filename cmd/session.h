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
	const struct plan *plan;    /* once it is done: with what is known since */
	struct selection selection; /* what this run does of it */
	struct outcome *outcomes;   /* NULL: nothing was tried */
	const char **stale_reasons; /* why a saved plan does not hold any more, a sentence each */
	size_t n_stale_reasons;
	struct confirm_job job; /* with --confirm, once something was to be done */
	struct confirm_guard guard;
	json_t *earlier;    /* the steps that were done before this pass, which its JSON has, too;
			       NULL: none. Not freed with it */
	struct error fault; /* of the run as a whole; CODE_NONE: none */
	size_t failed;      /* steps, once it was tried: also those that are blocked */
	int exit_code;
	struct run *retry; /* the retry (cmd/apply_retry.h), whose steps and errors are this
			      run's; or NULL */
};

typedef int run_pass(struct run *run, const struct desired *desired, const struct options *options,
		     struct error *error);

/* Looks and plans. Returns 0, and the caller frees with run_free; or a negative errno. */
run_pass run_observe;
void run_free(struct run *run);

/* Observes, plans, and does the plan unless it is refused. The lock is held. With options->saved:
 * only if that is the plan, made from the same live state. */
int run_locked(struct run *run, const struct desired *desired, struct lookups *lookups,
	       const struct options *options, const struct apply_lock *lock, struct error *error);
/* Finds the containers, and takes the lock after
 * that: no engine keeps others from it. */
int run_lock(struct lookups *lookups, const struct desired *desired, const struct options *options,
	     struct apply_lock *ret_lock, struct error *error);
/* As run_observe; asks the engines about all containers again. */
int run_reobserve(struct run *run, const struct desired *desired, struct lookups *lookups,
		  const struct options *options, struct error *error);
/* As run_observe, of the containers that were found. */
int run_observe_at(struct run *run, const struct desired *desired, struct lookups *lookups,
		   const struct options *options, struct error *error);
/* Does the steps that act, and sets the exit code. */
void run_do(struct run *run, const struct options *options);
void run_exit_code(struct run *run);
/* What the plan was made from; in the run's arena. */
struct fingerprint run_fingerprint(const struct run *run, const struct desired *desired);

#endif
