/* What the parts of `watch` share. Events mark what may have changed (events.c). After each batch
 * of events a pass observes what is marked, plans, and applies the plan (reconcile_loop.c). Nothing
 * happens between passes. */
#ifndef CMD_WATCH_INTERNAL_H
#define CMD_WATCH_INTERNAL_H

#include "cmd/options.h"
#include "cmd/watch/backoff.h"
#include "cmd/watch/file_watch.h"
#include "cmd/watch/log.h"
#include "cmd/watch/metrics.h"
#include "cmd/watch/mount_watch.h"
#include "cmd/watch/retry_keys.h"
#include "kernel/rtnl_monitor.h"
#include "lib/event_loop.h"
#include "reconcile/apply/apply.h"
#include "reconcile/observe/observe.h"
#include "schema/diag.h"

/* What files that changed say. */
struct reload {
	bool done;
	struct desired *desired; /* NULL: nothing new, or nothing valid */
	struct diags diags;
	uint64_t content; /* as input_load gives it */
};

/* Of too few descriptors. */
struct descriptors_short {
	uint64_t limit, content; /* of the files, as of struct service */
};

/* Why a pass could not be done. */
struct failure {
	enum code code;
	int errnum;
};

struct service {
	const struct options *options;
	struct log log;
	struct metrics metrics;
	struct loop *loop;
	struct paths *paths;
	struct monitor *monitor;
	struct mounts *mounts;
	struct retry *retry;
	struct retry *rate_credits;      /* reads what others make the kernel report without end */
	struct service_engines *engines; /* engines.c's */
	struct lookups *lookups;         /* of the engines' containers; engines.c's */
	struct service_probes *probes;   /* probe.c's */
	struct pending *leases;          /* dhcp.c's */
	struct service_kept *kept;       /* sets.c's */
	size_t n_guests;                 /* that are connected to those */
	int other_keeper;                /* a service that keeps one more that is named; or -1 */
	unsigned refusals;               /* of that set, in a row */
	int signals;                     /* a signalfd */

	struct desired *desired;
	struct desired *next; /* read from files that changed; NULL: they did not */
	struct reload reload;
	struct live *live;                    /* NULL: observe everything */
	uint64_t content;                     /* of the files, when they were last read */
	char *left;                           /* the left set that was reported last; or NULL */
	struct notices *reported;             /* of the last pass; as data (notices.h) */
	struct descriptors_short descriptors; /* as was told last */
	bool guarded;                         /* the last plan was too much to delete */
	bool started;                         /* the start was reported */
	bool dirty;                           /* a pass is due */
	bool broken;                          /* it cannot continue and has to be restarted */
	bool log_waits;                       /* the log waits for its reader */
	bool failed;                          /* the last pass could not be done */
	struct failure failure;               /* why; or CODE_NONE */
	bool wide;                   /* the next observation also searches for unknown namespaces */
	bool complete;               /* an observation of this pass did */
	bool unsearched;             /* everything was read, but not what descriptors lead to */
	struct refused_macs refused; /* while anything still fails */
	bool unsure;                 /* something failed as if not all were known */
	bool lost;                   /* events were lost, and not everything was read since */
	bool netns_died;             /* a namespace died since this was last reset */
	int64_t deferred_at;         /* the time by which the last pass held back what had failed */

	struct timer prefetched, debounce, retry_timer, rate_limit_timer, take_over, watchdog;
	int64_t first_event; /* of those that the debounce waits out */
};

/* events.c: each adds itself to the loop. Return 0, or a negative errno. */
int service_listen(struct service *service, struct error *error);
void service_close_events(struct service *service);
/* Reads the kernel's pending events. */
void service_read_events(struct service *service);
/* The same while the lock is held, for which others wait: no more than somewhat beside what comes
 * of the plan that was done, or NULL. If there is more, that counts as lost. */
void service_read_events_locked(struct service *service, const struct selection *done);
/* rate_limit.c: whoever controls a namespace can cause events without end and make reading it
 * expensive. Each namespace has a credit of its own for the observations that its events trigger.
 */
/* Whether reading the namespace of an event is deferred: then it is marked as rate limited and read
 * later. Otherwise its credit is charged. */
bool rate_limit_defers(struct service *service, struct live_ns *ns);
/* Events were lost, which others can cause on purpose: everything is read again, now or later. */
void events_lost(struct service *service);
/* The timer of deferred observations fired. */
void rate_limit_due(void *service);
/* Marks everything as stale. */
void service_mark_stale(struct service *service);

/* engines.c: asks the engines that the desired state's containers are of, and listens to them, in
 * the loop. Of the state that the next observation is for. */
void service_engines_update(struct service *service);
/* Asks about everything again. */
void service_engines_reload(struct service *service);
/* Queries the containers whose back-off has ended. */
void service_engines_retry(struct service *service);
void service_engines_free(struct service *service);
/* The mount table has changed. */
void service_engines_mounted(struct service *service);

/* reload.c: reads the files, for it may well be what they stay to say. */
void service_prefetch(struct service *service);
/* It was not. */
void service_unread(struct service *service);
/* Takes what was read, or is read now; if it is something new and valid, it is in `next`. */
void service_read(struct service *service);

/* probe.c: holds back the steps whose new addresses are not known to be free, and asks. */
void service_probe(struct service *service, struct selection *selection);
void service_probe_free(struct service *service);

/* dhcp.c: asks for the leases of links that are there, and holds back the steps that are for
 * them until the answer has come. */
struct leases service_lease(struct service *service, struct selection *selection);
/* Adds to the loop that the helper for leases may end, which is the service's end, too. */
int service_lease_listen(struct service *service, struct error *error);
void service_lease_free(struct service *service);

/* sets.c: takes the names of the sets that it has not yet. -EADDRINUSE: another service keeps one.
 * Once that one has ended, or keeps it no more, the timer `take_over` fires. */
int service_keep(struct service *service, const struct desired *desired, struct error *error);
/* Gives up those of sets that are not there; NULL: of all. */
void service_keep_only(struct service *service, const struct desired *desired);
/* No other's set is named any more. */
void service_wait_end(struct service *service);

/* reconcile_loop.c */
void service_reconcile(void *service);

/* report.c */
void report_failure(struct service *service, const struct step *step,
		    const struct outcome *outcome);
/* A replacement that failed, whose live link is put back, and the milliseconds until it is tried
 * again. */
void report_cut(struct service *service, const struct step *step, int64_t pause);
void report_steps(struct service *service, const struct selection *reported,
		  const struct outcome *outcomes);
/* What is told and not done, as far as it was not told the last time. */
void report_notices(struct service *service, const struct plan *plan, const struct live *live);
/* Sets that the files do not name any more, or under another name. */
void report_left(struct service *service, const struct plan *plan);
void report_left_by(struct service *service, const struct desired *before,
		    const struct desired *after);
/* Whether the shortage of descriptors was reported already. Some observations succeed and others do
 * not, so the warning is repeated only when the limit or the files have changed. Records it as
 * reported. */
bool descriptors_reported(struct service *service);
/* Warns of it, unless it is known. */
void report_descriptors(struct service *service);
/* Once: the version, the files, the sets, and what is live of them before anything is done. */
void report_start(struct service *service);
void report_state(struct service *service, const struct selection *selection);

#endif
