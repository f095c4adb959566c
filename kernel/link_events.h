/* What happened to one link, by the kernel's events in the link's network namespace. */
#ifndef KERNEL_LINK_EVENTS_H
#define KERNEL_LINK_EVENTS_H

#include "kernel/rtnl_monitor.h"

enum link_fate {
	LINK_STAYS,
	LINK_MOVED,   /* to another network namespace; or events were lost */
	LINK_DELETED, /* with its namespace, or by a request */
};

/* Reads events that wait, a limited number of them, and returns what happened to the link of that
 * ifindex. The monitor is monitor_new_own_links'. */
enum link_fate link_events_read(struct monitor *monitor, int ifindex);

#endif
