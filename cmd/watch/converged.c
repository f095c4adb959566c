#include "cmd/watch/internal.h"
#include "reconcile/state/content.h"

void service_replan(struct service *service)
{
	service->dirty = true;
	service->converged = false;
}

/* The hash's secret: no container knows the address. */
static uint64_t content(const struct service *service, const struct live_ns *ns)
{
	return live_ns_content(ns, service->live->addr_proto, (uint64_t)(uintptr_t)service);
}

/* What does not change by itself: a step that is blocked stays so. */
static bool nothing_left(const struct service *service, const struct selection *selection)
{
	return !selection_count(selection) && !selection->plan->guard.refused &&
	       !retry_count(service->retry) && !service->unsure && !service->lost &&
	       !service->live->n_unreadable;
}

void service_remember_converged(struct service *service, const struct selection *selection)
{
	service->converged = nothing_left(service, selection);
	service->converged_namespaces = service->live->n_namespaces;
	for (size_t i = 0; service->converged && i < service->live->n_namespaces; i++) {
		struct live_ns *ns = service->live->namespaces[i];
		if (ns->reread)
			ns->converged_content = content(service, ns);
		ns->reread = false;
	}
}

bool service_is_converged(const struct service *service)
{
	const struct live *live = service->live;
	if (!service->converged || service->wide || service->lost || retry_count(service->retry) ||
	    live->n_namespaces != service->converged_namespaces)
		return false;
	for (size_t i = 0; i < live->n_namespaces; i++) {
		struct live_ns *ns = live->namespaces[i];
		if (ns->reread &&
		    (!ns->converged_content || content(service, ns) != ns->converged_content))
			return false;
		ns->reread = false;
	}
	return true;
}
