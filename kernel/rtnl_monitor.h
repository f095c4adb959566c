/* Receives the kernel's events of links, addresses and routes on one socket: of the thread's
 * network namespace, and of every namespace that has an nsid there (RTM_NEWNSID). */
#ifndef KERNEL_RTNL_MONITOR_H
#define KERNEL_RTNL_MONITOR_H

#include "lib/error.h"

#include <linux/netlink.h>
#include <stdbool.h>

/* The nsid that stands for the socket's own namespace. */
#define MONITOR_HOST (-1)

struct monitor;

/* Returns NULL with an error. */
struct monitor *monitor_new(struct error *error);
/* The same, of IPv4 addresses and nsids alone, with room for a thousand events that nobody reads.
 */
struct monitor *monitor_new_addresses(struct error *error);
/* The same, of links and addresses in the thread's network namespace alone. */
struct monitor *monitor_new_own_links(struct error *error);
void monitor_free(struct monitor *monitor);
int monitor_fd(const struct monitor *monitor);

/* A complete message (RTM_NEWLINK, RTM_NEWADDR, RTM_NEWROUTE, RTM_NEWNSID) from the namespace with
 * that nsid. A deletion has the type of the object (RTM_DELLINK arrives as RTM_NEWLINK). */
typedef void monitor_each(void *data, int nsid, const struct nlmsghdr *message, bool deleted);

/* Reads pending datagrams without waiting, and skips those of other processes. Returns their number
 * (if it is `most`, more may be pending); or -ENOBUFS: events were lost, and the caller has to read
 * everything again. */
int monitor_drain(struct monitor *monitor, int most, monitor_each *each, void *data);

#endif
