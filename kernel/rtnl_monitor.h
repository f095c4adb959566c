/* Receives the kernel's events of links, addresses and routes on one socket: of the host's
 * namespace, and of every namespace that has an nsid there (RTM_NEWNSID). */
#ifndef KERNEL_RTNL_MONITOR_H
#define KERNEL_RTNL_MONITOR_H

#include "lib/error.h"

#include <linux/netlink.h>
#include <stdbool.h>

/* The number of the namespace that the socket is in. */
#define MONITOR_HOST (-1)

struct monitor;

/* Returns NULL with an error. */
struct monitor *monitor_new(struct error *error);
void monitor_free(struct monitor *monitor);
int monitor_fd(const struct monitor *monitor);

/* A whole message (RTM_NEWLINK, RTM_NEWADDR, RTM_NEWROUTE, RTM_NEWNSID) from the namespace with
 * that number. What is gone has the message type of what there is (RTM_DELLINK comes as
 * RTM_NEWLINK). */
typedef void monitor_each(void *data, int nsid, const struct nlmsghdr *message, bool gone);

/* Takes what has come so far, and does not wait. Messages of other processes are skipped. Returns
 * how many datagrams were taken, of which there may be more if it is `most`; or -ENOBUFS: some was
 * lost, so that everything has to be read. */
int monitor_drain(struct monitor *monitor, int most, monitor_each *each, void *data);

#endif
