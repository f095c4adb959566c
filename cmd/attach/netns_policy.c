#include "cmd/attach/netns_policy.h"

#include "kernel/link_request.h"
#include "kernel/rtnl_encode.h"
#include "reconcile/observe/namespace.h"
#include "reconcile/state/policy_routing.h"

#include <errno.h>
#include <fcntl.h>

static int request_send(struct netlink *netlink, const union message *request, const char *what,
			struct error *error)
{
	const int status = link_request(netlink, &request->header, what, error);
	return status == -ENOENT || status == -ESRCH ? 0 : status;
}

/* Rules first: each one leads to a table that still has its routes. */
static int policy_delete(struct netlink *netlink, const struct policy *policy, struct error *error)
{
	union message request;
	int status = 0;
	for (size_t i = policy->n_rules; i-- > 0 && status == 0;) {
		encode_rule_delete(&request, &policy->rules[i]);
		status = request_send(netlink, &request, "cannot delete a routing rule", error);
	}
	for (size_t i = policy->n_routes; i-- > 0 && status == 0;) {
		encode_route_delete(&request, 0, &policy->routes[i], OWNER_TAG_PROTOCOL, 0);
		status =
			request_send(netlink, &request, "cannot delete a route for answers", error);
	}
	return status;
}

static struct live_ns *namespace_at(int fd, struct error *error)
{
	struct stat stat;
	const int own = fstat(fd, &stat) < 0 ? -1 : fcntl(fd, F_DUPFD_CLOEXEC, 0);
	if (own >= 0)
		return namespace_new(own, &stat, "");
	error_set(error, errno, "cannot read the network namespace");
	return NULL;
}

int netns_policy_delete(int fd, int host, struct netlink *netlink, int ifindex, struct error *error)
{
	bool ignored = false;
	struct live_ns *ns = namespace_at(fd, error);
	if (!ns)
		return -error->errnum;
	int status = namespace_read(ns, host, &(struct namespace_read_options){0}, &ignored, error);
	const struct live_link *link = status < 0 ? NULL : live_link_by_index(ns, ifindex);
	if (link) {
		const struct policy policy = policy_of_link(ns->arena, ns, link);
		status = policy_delete(netlink, &policy, error);
	}
	namespace_free(ns);
	return status;
}
