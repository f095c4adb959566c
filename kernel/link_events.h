/* The kernel's events of links and addresses in one network namespace, for a process that waits for
 * a link of its own. rtnl_monitor.h has those of all namespaces. */
#ifndef KERNEL_LINK_EVENTS_H
#define KERNEL_LINK_EVENTS_H

#include "lib/error.h"

/* Opens a socket in the thread's network namespace. It does not block, and is readable when an
 * event waits. Returns the descriptor, which the caller closes, or a negative errno. */
int link_events_open(struct error *error);

enum link_fate {
	LINK_STAYS,
	LINK_MOVED,   /* to another network namespace; or events were lost */
	LINK_DELETED, /* with its namespace, or by a request */
};

/* Reads the events that wait, and returns what happened to the link of that ifindex. */
enum link_fate link_events_read(int events, int ifindex);

#endif
