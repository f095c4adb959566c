#include "cmd/attach/netns_link.h"

#include "cmd/attach/netns_policy.h"
#include "kernel/link_request.h"
#include "kernel/netns.h"
#include "kernel/nsid.h"
#include "kernel/rtnl_decode.h"
#include "kernel/rtnl_encode.h"
#include "lib/cleanup.h"
#include "reconcile/state/state.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <stdio.h>

/* A namespace that the thread has entered. */
struct visit {
	int host;  /* the thread's own namespace; -1: it has not been left */
	int netns; /* -1: the caller opened it */
	struct netlink *netlink;
};

static void visit_end(struct visit *visit)
{
	netlink_close(visit->netlink);
	if (visit->host >= 0) {
		netns_return(visit->host);
		close_cleanup(&visit->host);
	}
	close_cleanup(&visit->netns);
}

static int visit_enter(struct visit *visit, int fd, struct error *error)
{
	int status = netns_enter(fd, error);
	if (status == 0 && !(visit->netlink = netlink_open(error)))
		status = -error->errnum;
	return status;
}

/* Returns 1, 0 if there is no such namespace, or a negative errno. */
static int visit_begin(struct visit *visit, const char *path, struct error *error)
{
	struct stat own, stat;
	*visit = (struct visit){.host = netns_open_own(&own, error), .netns = -1};
	if (visit->host < 0)
		return visit->host;
	visit->netns = netns_open(path, &own, &stat, error);
	if (visit->netns == -ENOENT || visit->netns == -ENOTDIR || visit->netns == -EINVAL)
		return 0;
	if (visit->netns < 0)
		return visit->netns;
	if (netns_same(&own, &stat)) {
		error_set(error, EINVAL, "%s is the host's own network namespace", path);
		return error_code(error, CODE_NAMESPACE_HOST);
	}
	const int status = visit_enter(visit, visit->netns, error);
	return status < 0 ? status : 1;
}

struct reading {
	struct arena *arena;
	bool routes; /* they are read */
	struct netns_link *found;
};

static int addr_take(const struct nlmsghdr *message, void *data, struct error *error)
{
	struct reading *reading = data;
	struct netns_link *found = reading->found;
	struct live_addr addr;
	bool has_protocol = false;
	(void)error;
	if (message->nlmsg_type != RTM_NEWADDR ||
	    decode_addr(message, &addr, &has_protocol) != DECODED ||
	    addr.ifindex != found->link.ifindex)
		return 0;
	*array_push(reading->arena, found->addrs, found->n_addrs) = addr.prefix;
	if (live_addr_leased(&addr, has_protocol))
		found->lease = addr.prefix.ip;
	return 0;
}

static int route_take(const struct nlmsghdr *message, void *data, struct error *error)
{
	struct reading *reading = data;
	struct netns_link *found = reading->found;
	struct live_route route;
	(void)error;
	for (size_t hop = 0;
	     message->nlmsg_type == RTM_NEWROUTE && decode_route(message, hop, &route) == DECODED;
	     hop++)
		if (route.ifindex == found->link.ifindex)
			*array_push(reading->arena, found->routes, found->n_routes) = route;
	return 0;
}

static int link_read(struct netlink *netlink, const char *name, struct reading *reading,
		     struct error *error)
{
	union message request;
	int status = link_find(netlink, name, reading->arena, &reading->found->link, error);
	if (status == -ENODEV)
		return 0;
	if (status < 0)
		return status;
	encode_link_addrs_dump(&request, reading->found->link.ifindex);
	status = netlink_dump(netlink, &request.header, addr_take, reading, error);
	if (status < 0 || !reading->routes)
		return status < 0 ? status : 1;
	encode_link_routes_dump(&request, reading->found->link.ifindex);
	status = netlink_dump(netlink, &request.header, route_take, reading, error);
	return status < 0 ? status : 1;
}

int netns_link_read(const char *path, const char *name, bool routes, struct arena *arena,
		    struct netns_link *ret, struct error *error)
{
	struct visit visit;
	struct reading reading = {.arena = arena, .routes = routes, .found = ret};
	*ret = (struct netns_link){0};
	int status = visit_begin(&visit, path, error);
	if (status > 0)
		status = link_read(visit.netlink, name, &reading, error);
	visit_end(&visit);
	return status;
}

int netns_number(const char *path, struct error *error)
{
	struct stat own, stat;
	cleanup_close int host = netns_open_own(&own, error);
	if (host < 0)
		return host;
	cleanup_close int netns = netns_open(path, &own, &stat, error);
	if (netns < 0)
		return netns;
	struct netlink *netlink = netlink_open(error);
	const int status = netlink ? nsid_assign(netlink, netns, error) : -error->errnum;
	netlink_close(netlink);
	return status;
}

static int link_delete(struct netlink *netlink, const struct live_link *link, struct error *error)
{
	char what[sizeof("cannot delete ") + IFNAMSIZ];
	union message request;
	snprintf(what, sizeof(what), "cannot delete %s", link->name);
	encode_link_delete(&request, link->ifindex);
	const int status = link_request(netlink, &request.header, what, error);
	return status == -ENODEV ? 0 : status;
}

/* Deletes an attachment in the open namespace. The link comes last: while it exists, a repeated
 * call deletes the rest. */
static int attachment_delete(int fd, int host, struct netlink *netlink,
			     const struct live_link *link, struct error *error)
{
	const int status = netns_policy_delete(fd, host, netlink, link->ifindex, error);
	return status < 0 ? status : link_delete(netlink, link, error);
}

int netns_link_delete(const char *path, const struct live_link *link, struct error *error)
{
	struct visit visit;
	int status = visit_begin(&visit, path, error);
	if (status > 0)
		status = attachment_delete(visit.netns, visit.host, visit.netlink, link, error);
	visit_end(&visit);
	return status;
}

int netns_link_delete_at(int fd, int host, const struct live_link *link, struct error *error)
{
	struct visit visit = {.host = -1, .netns = -1};
	int status = visit_enter(&visit, fd, error);
	if (status == 0)
		status = attachment_delete(fd, host, visit.netlink, link, error);
	netlink_close(visit.netlink);
	netns_return(host);
	return status;
}
