/* One run, from the lookup of the containers to the report: shared by `apply`, `diff` and `delete`.
 */
#ifndef CMD_RUN_H
#define CMD_RUN_H

#include "cmd/session.h"

/* As run_observe, then applies the plan unless it is refused, under the lock, and retries steps
 * that failed as busy. With options->saved: only if the plan equals the saved one and was made from
 * the same live state. */
run_pass run_apply;
/* One of several such runs, each of which uses the answers of the engines to the earlier ones. */
int run_apply_pass(struct run *run, const struct desired *desired, struct lookups *lookups,
		   const struct options *options, struct error *error);
/* Writes the result of a run; if a confirm guard is waiting, waits for it and reports its result.
 * Returns the exit code. */
int run_conclude(struct run *run, const struct desired *desired, const struct options *options);
/* A complete run with its report; returns the exit code. */
int run_once(run_pass *pass, const struct desired *desired, const struct options *options);

#endif
