/* Declarations shared by the files of `watch`. Events mark objects that may have changed
 * (events.c). After each batch of events a pass observes the marked ones, plans, and applies the
 * plan (reconcile_loop.c). Nothing happens between passes. */
#ifndef CMD_WATCH_INTERNAL_H
#define CMD_WATCH_INTERNAL_H

#include "cmd/options.h"
#include "cmd/watch/active.h"
#include "cmd/watch/backoff.h"
#include "cmd/watch/file_watch.h"
#include "cmd/watch/log.h"
#include "cmd/watch/metrics.h"
#include "cmd/watch/mount_watch.h"
#include "cmd/watch/nsid_index.h"
#include "cmd/watch/retry_keys.h"
#include "kernel/rtnl_monitor.h"
#include "lib/event_loop.h"
#include "reconcile/apply/apply.h"
#include "reconcile/observe/observe.h"
#include "schema/diag.h"

/* The contents of changed files. */
struct reload {
	bool done;
	struct desired *desired; /* NULL: nothing new, or invalid */
	struct diags diags;
	uint64_t content; /* hash of input_load */
};

/* The warning about too few descriptors. */
struct descriptors_short {
	uint64_t limit, content; /* host name of the files, see struct service */
};

/* The reason why a pass failed. */
struct failure {
	enum code code;
	int errnum;
};

/* A check of the names of containers of one kind (container_names.c). */
struct names_check {
	struct service *service;
	bool ready;   /* containers whose names led to a namespace; otherwise the others */
	int pause;    /* the time between two checks, in multiples of a check */
	int64_t next; /* not before, in microseconds */
	struct timer timer;
};
enum { NAMES_AWAITED, NAMES_READY, N_NAMES_CHECKS };

struct service {
	const struct options *options;
	struct log log;
	struct metrics metrics;
	struct loop *loop;
	struct loop *clients; /* of the set sockets; also served while the lock is awaited */
	struct paths *paths;
	struct monitor *monitor;
	struct mounts *mounts;
	struct retry *retry;
	struct retry *rate_credits;      /* limits reading of namespaces with events without end */
	struct service_engines *engines; /* engines.c */
	struct lookups *lookups;         /* of the engines' containers; engines.c */
	struct service_probes *probes;   /* probe.c */
	struct pending *leases;          /* dhcp.c */
	struct service_kept *kept;       /* sets.c */
	struct service_kept *files;      /* the name of the files' contents; sets.c */
	size_t n_clients;                /* number of clients of the set sockets */
	int other_keeper;  /* the connection to another service that keeps one of the sets; or -1 */
	unsigned refusals; /* reconnections to it in a row */
	int signals;       /* a signalfd */

	struct desired *desired; /* NULL: no files were valid yet */
	struct desired *next;    /* contents of changed files; NULL: unchanged */
	struct reload reload;
	struct live *live;                    /* NULL: observe everything */
	struct active active;                 /* of `live` */
	struct arena *nsids_arena;            /* of the following index; NULL: it is outdated */
	struct nsid_index nsids;              /* of `live` */
	uint64_t content;                     /* hash of the files at the last reading */
	char *left;                           /* the left set that was reported last; or NULL */
	struct notices *reported;             /* of the last pass; as data (notices.h) */
	struct descriptors_short descriptors; /* as reported last */
	bool guarded;                         /* the last plan was too much to delete */
	bool started;                         /* the start was reported */
	bool dirty;                           /* a pass is due */
	bool converged;              /* the last plan left nothing to do, see converged.c */
	size_t converged_namespaces; /* their number then */
	size_t converged_unwritten;  /* the number of missing `resolv_conf` files then */
	bool broken;                 /* an unrecoverable error: it has to be restarted */
	bool log_waits;              /* the log waits for its reader */
	bool failed;                 /* the last pass failed */
	struct failure failure;      /* its reason; or CODE_NONE */
	bool wide;                   /* the next observation also searches for unknown namespaces */
	bool search_deferred;        /* rate limited: such a search is due later */
	bool complete;               /* an observation of this pass did */
	bool searched; /* a search found all namespaces with links on the host's links, all have an
			  nsid, and no event reported another such link since (events.c) */
	bool unsearched; /* everything was read, except namespaces that only descriptors keep */
	struct refused_macs refused; /* while anything still fails */
	bool unsure;                 /* a step failed because of an unknown object */
	bool lost;                   /* events were lost, and not everything was read since */
	bool netns_died;             /* a namespace was destroyed since this was last reset */
	int64_t deferred_at;         /* the time up to which the last pass delayed failed keys */

	struct timer prefetched, debounce, retry_timer, rate_limit_timer, take_over, watchdog,
		init_poll;
	struct names_check names_checks[N_NAMES_CHECKS];
	int64_t first_event; /* the pending debounce of file changes */
};

/* events.c: each adds itself to the loop. Return 0, or a negative errno. */
int service_listen(struct service *service, struct error *error);
void service_close_events(struct service *service);
/* Forgets the index of nsids: the state's namespaces or nsids have changed. */
void service_nsids_forget(struct service *service);
/* Reads the kernel's pending events. */
void service_read_events(struct service *service);
/* The same while the lock is held and others wait: limited to the events of the applied plan, or
 * NULL, and a small number of others. If there are more, they count as lost. */
void service_read_events_locked(struct service *service, const struct selection *done);
/* rate_limit.c: whoever controls a namespace can cause events without end and make reading it
 * expensive. Each namespace has a credit of its own for the observations that its events
 * trigger. */
/* Whether reading the namespace of an event is deferred: then it is marked as rate limited and read
 * later. Otherwise its credit is charged. */
bool rate_limit_defers(struct service *service, struct live_ns *ns);
/* Events were lost, which others can cause on purpose: everything is read again, now or later. */
void events_lost(struct service *service);
/* An unknown namespace has an attachment: it is searched, now or later. */
void namespaces_search(struct service *service);
/* The timer of deferred observations fired. */
void rate_limit_due(void *service);
/* Marks everything as stale. */
void service_mark_stale(struct service *service);
/* Marks one namespace, or the result for one container. */
void service_ns_stale(struct service *service, struct live_ns *ns);
void service_lookup_stale(struct service *service, struct container_lookup *lookup);

/* engines.c: queries the engines of the desired state's containers, and listens to them, in the
 * loop. Of the state for the next observation. */
void service_engines_update(struct service *service);
/* Queries everything again. */
void service_engines_reload(struct service *service);
/* Queries the containers whose back-off has ended. */
void service_engines_retry(struct service *service);
void service_engines_free(struct service *service);
/* The mount table has changed. */
void service_engines_mounted(struct service *service);

/* container_names.c: prepares the checks. */
void container_names_begin(struct service *service);
/* The mount table has changed. Containers whose name leads to another namespace are looked up
 * again, now or when a timer fires. */
void container_names_changed(struct service *service);

/* init_poll.c: looks up LXC's containers and the like once a second while the state has any. */
void service_init_poll(struct service *service);

/* reload.c: whether files were valid at any time. */
bool service_has_configuration(const struct service *service);
/* At the start: `desired` is NULL, and the errors are logged, if the files are invalid. */
void service_read_first(struct service *service);
/* Reads the files in advance: they will probably not change again. */
void service_prefetch(struct service *service);
/* Discards it. */
void service_unread(struct service *service);
/* Uses the contents that were read in advance, or reads them now; if they are new and valid, they
 * are in `next`. */
void service_read(struct service *service);

/* probe.c: defers the steps whose new addresses are not known to be free, and starts probes. */
void service_probe(struct service *service, struct selection *selection);
void service_probe_free(struct service *service);

/* dhcp.c: requests the leases of live links, and defers the steps for them until the answer has
 * arrived. */
struct leases service_lease(struct service *service, struct selection *selection);
/* Watches the DHCP broker in the loop; its end ends the service, too. */
int service_lease_listen(struct service *service, struct error *error);
void service_lease_free(struct service *service);

/* sets.c: binds the names of the sets that are not bound yet, and of the files' contents.
 * -EADDRINUSE: another service keeps one. When that service ends, or releases the set, the timer
 * `take_over` fires. */
int service_keep(struct service *service, const struct desired *desired, struct error *error);
/* Releases the sets that `sets` lacks; NULL: all. */
void service_keep_only(struct service *service, const struct desired *desired);
/* query.c: answers a client's query, with which it may pass its mount table. The lock is not
 * needed. False: it is none, or there is no answer. */
bool service_answer(struct service *service, int fd, char *request, int table);
/* Closes the connection to the other service. */
void service_wait_end(struct service *service);

/* converged.c: planning is pure, so while the state is what it was when a plan left nothing to do,
 * no plan is needed, nor the lock. */
/* A pass is due, for another reason than the content of a namespace. */
void service_replan(struct service *service);
/* After the last plan of a pass. */
void service_remember_converged(struct service *service, const struct selection *selection);
/* After an observation: whether it is the state that needed nothing. */
bool service_is_converged(const struct service *service);
/* After an observation: the only namespace that differs from that state, which had no step for it.
 * NULL: none, several, or anything else differs. */
struct live_ns *service_drifted(const struct service *service);

/* planned.c: a plan of the last observation, and its steps without those that failed a short time
 * ago. The caller frees both with planned_free. */
struct selection service_plan(struct service *service);
/* The same, of one namespace alone: it takes the same time with any number of others. Its warnings
 * are not all of them. Without a plan if anything else has changed, or the plan cannot be applied
 * as it is. */
struct selection service_plan_part(struct service *service);
/* The plan, the selected steps, and temporary data. */
void planned_free(const struct selection *planned);

/* step_outcome.c: records the outcome of a step that was executed. `drift`: the step repairs what
 * another program changed. Returns whether the outcome is to be reported. */
bool service_step_done(struct service *service, const struct step *step,
		       const struct outcome *outcome, bool drift);
/* Reports that the object is changed again and again. `pause`: the milliseconds until the next
 * attempt; 0: there is no pause, and no report. */
void service_step_paused(struct service *service, const struct step *step, int64_t pause);

/* reconcile_loop.c */
/* As observe_reopen. */
bool service_reopen(struct service *service, const struct selection *selection);
void service_reconcile(void *service);

/* report.c */
void report_failure(struct service *service, const struct step *step,
		    const struct outcome *outcome);
/* A failed replacement whose live link was restored, and the milliseconds until the retry. */
void report_cut(struct service *service, const struct step *step, int64_t pause);
void report_steps(struct service *service, const struct selection *reported,
		  const struct outcome *outcomes);
/* Reports the steps that are not done, unless they were reported the last time. */
void report_notices(struct service *service, const struct plan *plan, const struct live *live);
/* Sets that the files do not declare any more, or under another name. */
void report_undeclared_set(struct service *service, const struct plan *plan);
void report_sets_no_longer_declared(struct service *service, const struct desired *before,
				    const struct desired *after);
/* Warns about it, unless it was reported. */
void report_descriptors(struct service *service);
/* Called once: logs the version, the files, the sets, and their live links before the first pass.
 */
void report_start(struct service *service);
void report_state(struct service *service, const struct selection *selection);
/* The state without valid files. */
void report_waiting(void);

#endif
