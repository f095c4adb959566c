#include "reconcile/plan/dhcp.h"

#include "kernel/link_kind.h"

#include <stdio.h>

struct leases leases_unknown(const struct plan *plan, struct arena *arena)
{
	const size_t room = plan->n_steps + 1;
	return (struct leases){
		.answers = arena_alloc(arena, room * sizeof(const struct dhcp_answer *)),
		.deferred = arena_alloc(arena, room * sizeof(bool))};
}

bool step_leases(const struct step *step)
{
	if (!step_acts(step) || !step->desired || !step->desired->dhcp.enabled)
		return false;
	for (size_t i = 0; i < step->n_changes; i++)
		if (step->changes[i].field == FIELD_DHCP)
			return true;
	return step->action != ACTION_CHANGE;
}

struct dhcp_request dhcp_request_of(const struct owner_tag *tag, enum dhcp_operation operation,
				    enum link_kind kind, const char *link, const struct ip *addr)
{
	struct dhcp_request request = {.operation = operation,
				       .client_id = client_id_make(tag->set, tag->network,
								   tag->container, tag->attachment),
				       .addr = *addr,
				       .broadcast = link_kind_shares_mac(kind)};
	snprintf(request.link, sizeof(request.link), "%s", link);
	if (host_name_valid(tag->container))
		snprintf(request.host_name, sizeof(request.host_name), "%s", tag->container);
	return request;
}

struct dhcp_request lease_request(const struct link_spec *desired)
{
	return dhcp_request_of(&desired->tag, DHCP_LEASE, desired->kind, desired->name,
			       &desired->dhcp.lease.ip);
}

const struct live_addr *lease_ended(const struct live *live, const struct step *step)
{
	if (!step_acts(step) || !step->current || step->stray ||
	    (step->desired && step->desired->dhcp.enabled))
		return NULL;
	return live_lease(live, step->ns, step->current);
}

size_t leases_ending(const struct selection *selection, const struct live *live)
{
	size_t count = 0;
	for (size_t i = 0; i < selection->plan->n_steps; i++)
		count += selection->selected[i] &&
			 lease_ended(live, &selection->plan->steps[i]) != NULL;
	return count;
}
