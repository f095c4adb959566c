/* The confirm guard of `apply --confirm`: a process that holds a snapshot of the live state and
 * rolls back unless the apply is confirmed in time. It outlives the terminal, the session and the
 * process that applies. */
#ifndef CMD_CONFIRM_GUARD_H
#define CMD_CONFIRM_GUARD_H

#include "cmd/keyboard.h"
#include "lib/error.h"
#include "reconcile/apply/apply.h"

#include <stdbool.h>
#include <sys/types.h>

struct dhcp_broker;

struct confirm_guard {
	pid_t pid;   /* 0: no guard */
	int fd;      /* to the guard process */
	int signals; /* a signalfd for the signals that confirm or cancel, from the start */
};

/* The state that the guard confirms or rolls back. Must outlive the guard. */
struct confirm_job {
	const struct plan *plan;
	struct live *before;
	const char *sets;           /* names, for display */
	unsigned seconds;           /* set by confirm_guard_applied */
	struct dhcp_broker *broker; /* the guard closes its copy */
};

/* Starts the guard; call it before anything is changed. The new process does not keep `lock`.
 * Returns 0, or -EALREADY if another apply is waiting for its confirmation, or another negative
 * errno. */
int confirm_guard_begin(struct confirm_guard *guard, const struct confirm_job *job,
			const struct apply_lock *lock, struct error *error);

/* The plan was applied: the timeout starts. */
void confirm_guard_applied(const struct confirm_guard *guard);

struct confirm_result {
	bool confirmed;
	bool cancelled;    /* by SIGINT or SIGTERM */
	bool broken;       /* the rollback was incomplete */
	const char *words; /* if the rollback was incomplete: the objects that were not restored,
			      one line each; in the arena */
};

/* Waits for the guard, for ENTER and for signals; the lock is released. Rolls back itself if the
 * guard was killed. */
struct confirm_result confirm_guard_wait(const struct confirm_guard *guard,
					 struct keyboard *keyboard, const struct confirm_job *job,
					 struct arena *arena);

#endif
