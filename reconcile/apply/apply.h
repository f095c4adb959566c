/* Applies a plan. */
#ifndef RECONCILE_APPLY_APPLY_H
#define RECONCILE_APPLY_APPLY_H

#include "reconcile/apply/outcome.h"
#include "reconcile/plan/dhcp.h"
#include "reconcile/plan/selection.h"

#include <stdatomic.h>

struct dhcp_broker;
struct netlink;

struct apply_options {
	struct dhcp_broker *broker;  /* requests DHCP leases (dhcp/broker.h); NULL: not available */
	const struct leases *leases; /* NULL: apply requests all of them */
	bool keep_leases;            /* releases no lease, since the plan may be rolled back */
	/* Removes no file with name servers, for the same reason: apply_name_servers_remove does.
	 */
	bool keep_name_servers;
	/* Probes new addresses on the LAN first (reconcile/probe/probe.h); a step with a conflict
	 * fails and changes nothing. New parents are created before, as probing needs them. */
	bool probe;
	/* Created links are not announced: apply_announce does that, as all links on the parent
	 * hear an announcement before it is over. */
	bool silent;
	/* Attachments are created in the host's namespace, down, as another program moves them from
	 * there: without what the kernel drops with the namespace (addresses, routes, sysctls). */
	bool handed_over;
	/* `live` was read directly before: deletions need no second observation. */
	bool fresh;
	/* The process ends soon: it must not wait for the ends of its packet sockets. */
	bool process_ends;
	atomic_size_t *done; /* the number of finished steps, for other threads; or NULL */
};

/* Applies the selected steps of the plan in order; a failure does not stop other steps. `outcomes`
 * has an element for each step of the plan, none with an error. `live` is the state that the plan
 * was made from; its handles are used. Returns the number of failed steps. */
size_t apply(const struct selection *selection, const struct live *live,
	     const struct apply_options *options, struct outcome *outcomes);

/* Whether a silent run created links that are to be announced. */
bool apply_unannounced(const struct plan *plan, const struct outcome *outcomes);
/* Announces them, in their namespaces. */
void apply_announce(const struct plan *plan, const struct outcome *outcomes,
		    const struct live *live);
/* Announces addresses of a link that another program has set up. The thread and the socket are in
 * the link's namespace. */
void announce_addresses(struct netlink *netlink, int ifindex, const struct prefix *addrs,
			size_t n_addrs);

/* Removes the files with name servers that links do not have any more. */
void apply_name_servers_remove(const struct plan *plan, const struct outcome *outcomes);

/* Serialises the mvapply processes that change one host namespace. Both parts belong to that
 * namespace and vanish with the process: the lock, which only a process with CAP_NET_ADMIN can take
 * (kernel/netlink_lock.h), and an abstract unix socket, at which others wait without polling, but
 * which any process can bind. Negative: not held. */
struct apply_lock {
	int netlink, name;
};

/* Called once, after a second, with the process that holds the lock: "waiting for process 12
 * (mvapply) ...". `sentence` is valid during the call. */
typedef void lock_note(const char *sentence, void *data);

/* What to do while another process holds the lock. */
struct lock_wait {
	lock_note *note; /* or NULL */
	void *data;
	int fd; /* `serve` is called when it is readable; -1: none */
	void (*serve)(void *data);
};

/* Takes the lock; waits up to two minutes. `wait` may be NULL. Returns 0, until apply_unlock or the
 * end of the process; or a negative errno: -ETIME on timeout, -EBUSY if an untrusted process
 * (lib/unix_peer.h) has the socket and this process may not take the lock. */
int apply_lock(struct apply_lock *ret_lock, const struct lock_wait *wait, struct error *error);

/* In a child of fork(2), the parent keeps the lock. */
void apply_unlock(const struct apply_lock *lock);

#endif
