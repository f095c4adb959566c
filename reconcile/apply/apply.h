/* Does a plan. */
#ifndef RECONCILE_APPLY_APPLY_H
#define RECONCILE_APPLY_APPLY_H

#include "reconcile/apply/outcome.h"
#include "reconcile/plan/selection.h"

#include <stdatomic.h>

struct dhcp_broker;

/* Does the selected steps of the plan in their order; one's failure does not stop another's.
 * `outcomes` has an element for each of the plan's steps, of which none has an error. `live` is the
 * one that the plan was made from; its handles are used. `broker` asks for leases of DHCP
 * (dhcp/broker.h). Returns 0 if every step was done, or the number of failed ones. */
size_t apply(const struct selection *selection, const struct live *live, struct dhcp_broker *broker,
	     struct outcome *outcomes);

/* The same, and counts in *done, which other threads may read, the steps that are over. NULL: does
 * not count. */
size_t apply_counting(const struct selection *selection, const struct live *live,
		      struct dhcp_broker *broker, struct outcome *outcomes, atomic_size_t *done);

/* The same, but asks the LAN first whether somebody has a new address (reconcile/probe/probe.h),
 * and leaves alone what meets a conflict: its outcome is failed. New parents are made before, as
 * there is no asking on them otherwise. */
size_t apply_probed(const struct selection *selection, const struct live *live,
		    struct dhcp_broker *broker, struct outcome *outcomes, atomic_size_t *done);

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
