/* The addresses and routes of a link in the kernel's own words: with all that the values of live.h
 * leave out, such as labels, peers, other tables, metrics and further next hops. */
#ifndef RECONCILE_VERBATIM_H
#define RECONCILE_VERBATIM_H

#include "reconcile/live.h"
#include "reconcile/revert.h"

/* Notes them in link->verbatim. The thread is in the namespace. Returns 0 or a negative errno. */
int verbatim_read(struct live_ns *ns, struct live_link *link, struct error *error);

/* Gives the link, if it is there, what it lacks of them by now. IPv4 addresses return in their
 * order, as the first of a subnet is the source of what is sent. What others added meanwhile stays.
 * The thread is in the namespace. Returns how many could not be put back, of which `tell` is told.
 */
size_t verbatim_return(const struct live_ns *ns, const struct live_link *link, revert_tell *tell,
		       void *data);

#endif
