#include "reconcile/plan/ipam_state.h"

uint8_t request_family(const struct planned_attachment *planned, size_t slot)
{
	return planned->requests[slot].within.ip.family;
}

struct assigned_address *assigned_to(const struct ipam *ipam,
				     const struct planned_attachment *planned)
{
	return &ipam->assigned[planned->number];
}

size_t namespace_domain(const struct ipam *ipam, const struct planned_attachment *planned)
{
	const struct netns_groups *groups = &ipam->matched->attachments->groups;
	return planned->netns_group ? (size_t)(planned->netns_group - groups->all) : groups->count;
}

const struct planned_attachment *take(const struct ipam *ipam,
				      const struct planned_attachment *planned, size_t slot,
				      const struct ip *ip)
{
	assigned_to(ipam, planned)->ips[slot].ip = *ip;
	address_set_add(ipam->in_namespace, namespace_domain(ipam, planned), ip, planned);
	return address_set_add(ipam->in_use, planned->parent->number, ip, planned);
}

static bool reserved(const struct subnet *subnet, const struct ip *ip)
{
	if (ip_equal(&subnet->gateway, ip) || !prefix_usable(&subnet->prefix, ip))
		return true;
	for (size_t i = 0; i < subnet->n_aux; i++)
		if (ip_equal(&subnet->aux[i].ip, ip))
			return true;
	return false;
}

bool free_for(const struct ipam *ipam, const struct planned_attachment *planned,
	      const struct subnet *subnet, const struct ip *ip)
{
	return !reserved(subnet, ip) &&
	       !address_set_holder(ipam->in_use, planned->parent->number, ip) &&
	       !address_set_holder(ipam->unmanaged->addresses, planned->parent->number, ip);
}
