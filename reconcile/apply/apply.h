/* Does a plan. */
#ifndef RECONCILE_APPLY_APPLY_H
#define RECONCILE_APPLY_APPLY_H

#include "reconcile/apply/outcome.h"
#include "reconcile/plan/dhcp.h"
#include "reconcile/plan/selection.h"

#include <stdatomic.h>

struct dhcp_broker;

struct apply_options {
	struct dhcp_broker *broker;  /* asks for leases of DHCP (dhcp/broker.h); NULL: nobody is
					there to do it */
	const struct leases *leases; /* NULL: apply asks for all of them */
	bool keep_leases;            /* none is given back, since what is done may be undone */
	/* Asks the LAN first whether somebody has a new address (reconcile/probe/probe.h), and
	 * leaves alone what meets a conflict: its outcome is failed. New parents are made before,
	 * as there is no asking on them otherwise. */
	bool probe;
	atomic_size_t *done; /* the steps that are over, for other threads to read; or NULL */
};

/* Does the selected steps of the plan in their order; one's failure does not stop another's.
 * `outcomes` has an element for each of the plan's steps, of which none has an error. `live` is the
 * one that the plan was made from; its handles are used. Returns 0 if every step was done, or the
 * number of failed ones. */
size_t apply(const struct selection *selection, const struct live *live,
	     const struct apply_options *options, struct outcome *outcomes);

/* Serialises the mvapply processes that write in one host namespace. Both belong to that namespace
 * and vanish with the process: the lock, which only a process with CAP_NET_ADMIN can take
 * (kernel/netlink_lock.h), and an abstract unix socket, at which others wait for their turn
 * without looking again and again, but which anybody could take. Negative: not held. */
struct apply_lock {
	int netlink, name;
};

/* Is told once, after a second, whom a process waits for: "waiting for process 12 (mvapply) ...".
 * `sentence` is valid during the call. */
typedef void lock_note(const char *sentence, void *data);

/* Waits while another one holds it, for two minutes at most. `note` may be NULL. Returns 0, for
 * apply_unlock or the end of the process; or a negative errno: -ETIME when the time is over, -EBUSY
 * where a process that is not trusted (lib/unix_peer.h) has the socket and we have no right to the
 * lock. */
int apply_lock(struct apply_lock *ret_lock, lock_note *note, void *data, struct error *error);

/* In a child, after fork(2), the parent keeps it. */
void apply_unlock(const struct apply_lock *lock);

#endif
