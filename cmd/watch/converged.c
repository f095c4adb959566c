#include "cmd/watch/internal.h"
#include "reconcile/plan/part.h"
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

/* What does not change by itself: a step that is blocked stays so. A plan without the step of a
 * lease under way would end the request (dhcp.c). */
static bool nothing_left(const struct service *service, const struct selection *selection)
{
	return !selection_count(selection) && !service->leases && !selection->plan->guard.refused &&
	       !retry_count(service->retry) && !service->unsure && !service->lost &&
	       !service->live->n_unreadable;
}

static void without_step_set(const struct service *service, const struct plan *plan)
{
	part_remember(plan, service->live);
	for (size_t i = 0; i < service->live->n_namespaces; i++)
		service->live->namespaces[i]->without_step = true;
	for (size_t i = 0; i < plan->n_steps; i++)
		if (plan->steps[i].ns)
			plan->steps[i].ns->without_step = false;
}

void service_remember_converged(struct service *service, const struct selection *selection)
{
	service->converged = nothing_left(service, selection);
	service->converged_namespaces = service->live->n_namespaces;
	service->converged_unwritten = service->live->n_unwritten;
	without_step_set(service, selection->plan);
	for (size_t i = 0; service->converged && i < service->live->n_namespaces; i++) {
		struct live_ns *ns = service->live->namespaces[i];
		if (ns->reread)
			ns->converged_content = content(service, ns);
		ns->reread = false;
	}
}

/* Whether only the contents of known namespaces can differ from the state that needed nothing. */
static bool is_comparable(const struct service *service)
{
	return service->converged && !service->wide && !service->lost &&
	       !retry_count(service->retry) &&
	       service->live->n_namespaces == service->converged_namespaces &&
	       service->live->n_unwritten == service->converged_unwritten;
}

/* Whether it was read again and has another content. */
static bool has_drifted(const struct service *service, const struct live_ns *ns)
{
	return ns->reread &&
	       (!ns->converged_content || content(service, ns) != ns->converged_content);
}

bool service_is_converged(const struct service *service)
{
	if (!is_comparable(service))
		return false;
	for (size_t i = 0; i < active_count(&service->active, service->live); i++) {
		struct live_ns *ns = active_at(&service->active, service->live, i);
		if (has_drifted(service, ns))
			return false;
		ns->reread = false;
	}
	return true;
}

struct live_ns *service_drifted(const struct service *service)
{
	struct live_ns *drifted = NULL;
	if (!is_comparable(service))
		return NULL;
	for (size_t i = 0; i < active_count(&service->active, service->live); i++) {
		struct live_ns *ns = active_at(&service->active, service->live, i);
		if (!has_drifted(service, ns))
			continue;
		if (drifted || !ns->without_step)
			return NULL;
		drifted = ns;
	}
	return drifted;
}
