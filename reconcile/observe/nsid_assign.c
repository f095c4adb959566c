#include "reconcile/observe/nsid_assign.h"

#include "kernel/netns.h"
#include "kernel/nsid.h"

size_t nsids_assign(struct live *live, nsid_failed *failed, void *data)
{
	struct netlink *host = live->namespaces[0]->handle->netlink;
	size_t fresh = 0;
	for (size_t i = 1; i < live->n_namespaces; i++) {
		struct live_ns *ns = live->namespaces[i];
		struct error error;
		if (ns->nsid >= 0 || !ns->handle || !ns->details)
			continue;
		int status = nsid_get(host, ns->handle->fd, &ns->nsid, &error);
		if (status == 0 && ns->nsid >= 0)
			continue;
		if (nsid_ensure(host, ns->handle->fd, &ns->nsid, &error) < 0) {
			failed(data, ns, &error);
			continue;
		}
		ns->stale = true;
		fresh++;
	}
	return fresh;
}
