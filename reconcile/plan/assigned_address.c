#include "reconcile/plan/assigned_address.h"

const struct ip *assigned_primary(const struct assigned_address *address, uint8_t family)
{
	static const struct ip none;
	for (size_t i = 0; i < address->count; i++)
		if (address->ips[i].ip.family == family)
			return &address->ips[i].ip;
	return &none;
}

bool assigned_has(const struct assigned_address *address, const struct ip *ip)
{
	for (size_t i = 0; i < address->count; i++)
		if (ip_equal(&address->ips[i].ip, ip))
			return true;
	return false;
}

bool assigned_reaches(const struct assigned_address *address, const struct network *network,
		      const struct ip *ip)
{
	for (size_t i = 0; i < address->count; i++) {
		const struct subnet *subnet =
			address->ips[i].ip.family ? network_subnet_of(network, &address->ips[i].ip)
						  : NULL;
		if (subnet && prefix_contains(&subnet->prefix, ip))
			return true;
	}
	return false;
}
