#include "kernel/link_events.h"

#include "kernel/rtnl_attributes.h"

#include <linux/rtnetlink.h>
#include <sys/socket.h>

/* Of one call: a process that floods the socket must not keep the caller from its clock. */
#define EVENTS_MAX 256

struct watched {
	int ifindex;
	enum link_fate fate;
};

/* A move is announced in the old namespace as a deletion that names the new one (since 4.15,
 * dev_change_net_namespace). */
static void event_take(void *data, int nsid, const struct nlmsghdr *message, bool deleted)
{
	struct watched *watched = data;
	const struct nlattr *attributes[IFLA_MAX + 1];
	const struct ifinfomsg *link =
		message_parse(message, RTM_NEWLINK, sizeof(*link), attributes, COUNT(attributes));
	(void)nsid;
	if (deleted && link && link->ifi_family == AF_UNSPEC && link->ifi_index == watched->ifindex)
		watched->fate = attributes[IFLA_NEW_NETNSID] ? LINK_MOVED : LINK_DELETED;
}

enum link_fate link_events_read(struct monitor *monitor, int ifindex)
{
	struct watched watched = {.ifindex = ifindex};
	return monitor_drain(monitor, EVENTS_MAX, event_take, &watched) < 0 ? LINK_MOVED
									    : watched.fate;
}
