#include "cmd/docker_plugin/announcer.h"

#include "kernel/link_events.h"
#include "kernel/netns.h"
#include "kernel/rtnl_decode.h"
#include "kernel/rtnl_encode.h"
#include "lib/cleanup.h"
#include "lib/clock.h"
#include "reconcile/apply/apply.h"

#include <linux/if.h>
#include <linux/rtnetlink.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

/* Docker moves the link after it has made the container, and sets it up directly afterwards. */
#define MOVE_MS  60000
#define SETUP_MS 10000

void announcer_listen(struct announcer *announcer)
{
	struct error ignored;
	announcer->events = monitor_new_own_links(&ignored);
}

/* False: the time is over, or the plugin has ended. */
static bool events_await(const struct monitor *events, int plugin, int64_t end)
{
	struct pollfd fds[] = {{.fd = monitor_fd(events), .events = POLLIN},
			       {.fd = plugin, .events = POLLIN}};
	const int64_t left = end - clock_milliseconds();
	return left > 0 && poll(fds, 2, (int)left) > 0 && !fds[1].revents;
}

static bool move_await(const struct announcer *announcer, int plugin)
{
	const int64_t end = clock_milliseconds() + MOVE_MS;
	enum link_fate fate = LINK_STAYS;
	while (fate == LINK_STAYS && events_await(announcer->events, plugin, end))
		fate = link_events_read(announcer->events, announcer->ifindex);
	return fate == LINK_MOVED;
}

/* What the container's namespace has of the link. */
struct arrival {
	const struct announcer *announcer;
	int ifindex; /* 0: it is not there, or not up */
	struct prefix addrs[2];
	size_t n_addrs;
};

static int link_compare(const struct nlmsghdr *message, void *data, struct error *error)
{
	__attribute__((cleanup(arena_cleanup))) struct arena *arena = arena_new();
	struct arrival *arrival = data;
	struct live_link link = {0};
	struct parent_ref ignored;
	(void)error;
	if (message->nlmsg_type == RTM_NEWLINK &&
	    decode_link(arena, message, &link, &ignored) == DECODED && (link.flags & IFF_UP) &&
	    strcmp(link.alias, arrival->announcer->alias) == 0)
		arrival->ifindex = link.ifindex;
	return 0;
}

static int addr_take(const struct nlmsghdr *message, void *data, struct error *error)
{
	struct arrival *arrival = data;
	struct live_addr addr;
	bool has_protocol = false;
	(void)error;
	if (message->nlmsg_type != RTM_NEWADDR ||
	    decode_addr(message, &addr, &has_protocol) != DECODED ||
	    addr.ifindex != arrival->ifindex)
		return 0;
	for (size_t i = 0; i < 2 && arrival->n_addrs < 2; i++)
		if (addr.prefix.ip.family && ip_equal(&addr.prefix.ip, &arrival->announcer->ips[i]))
			arrival->addrs[arrival->n_addrs++] = addr.prefix;
	return 0;
}

/* Whether the link is up and has all addresses of the endpoint. */
static bool arrived(struct arrival *arrival, struct netlink *netlink)
{
	union message request;
	struct error ignored;
	const struct ip *ips = arrival->announcer->ips;
	arrival->ifindex = 0;
	arrival->n_addrs = 0;
	if (!encode_link_dump(&request) ||
	    netlink_dump(netlink, &request.header, link_compare, arrival, &ignored) < 0 ||
	    !arrival->ifindex || !encode_link_addrs_dump(&request, arrival->ifindex) ||
	    netlink_dump(netlink, &request.header, addr_take, arrival, &ignored) < 0)
		return false;
	return arrival->n_addrs == (size_t) !!ips[0].family + (size_t) !!ips[1].family;
}

static void setup_await(const struct announcer *announcer, struct netlink *netlink,
			struct monitor *events, int plugin)
{
	const int64_t end = clock_milliseconds() + SETUP_MS;
	struct arrival arrival = {.announcer = announcer};
	bool ready;
	while (!(ready = arrived(&arrival, netlink)) && events_await(events, plugin, end))
		(void)link_events_read(events, 0);
	if (ready)
		announce_addresses(netlink, arrival.ifindex, arrival.addrs, arrival.n_addrs);
}

static void sandbox_announce(const struct announcer *announcer, int plugin)
{
	struct stat own, stat;
	struct error ignored;
	cleanup_close int host = netns_open_own(&own, &ignored);
	if (host < 0)
		return;
	cleanup_close int netns = netns_open(announcer->sandbox, &own, &stat, &ignored);
	if (netns < 0 || netns_same(&own, &stat) || netns_enter(netns, &ignored) < 0)
		return;
	struct monitor *events = monitor_new_own_links(&ignored);
	struct netlink *netlink = events ? netlink_open(&ignored) : NULL;
	if (netlink)
		setup_await(announcer, netlink, events, plugin);
	netlink_close(netlink);
	monitor_free(events);
}

void announcer_begin(const struct announcer *announcer, int plugin, const int own[2])
{
	if (!announcer->events || !announcer->ifindex || fork() != 0)
		return;
	close(own[0]);
	close(own[1]);
	if (move_await(announcer, plugin))
		sandbox_announce(announcer, plugin);
	_exit(0);
}
