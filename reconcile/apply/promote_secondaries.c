/* Removes IPv4 addresses without their secondary addresses. */
#include "reconcile/apply/internal.h"

#include "kernel/netns.h"
#include "kernel/sysctl.h"

int batch_send_promote_secondaries(const struct apply_context *context, struct netlink *netlink,
				   const struct live_ns *ns, const char *link, struct batch *batch,
				   struct error *error)
{
	static const char key[] = "net.ipv4.conf.IFNAME.promote_secondaries";
	char before[SYSCTL_VALUE_SIZE];
	struct error ignored;
	bool known = netns_enter(ns->handle->fd, &ignored) == 0 &&
		     sysctl_read(key, link, before) == 0 &&
		     sysctl_write(key, link, "1", &ignored) == 0;
	int status = batch_send(netlink, batch, error);
	if (known)
		(void)sysctl_write(key, link, before, &ignored);
	netns_return(context->host->handle->fd);
	return status;
}
