#include "reconcile/plan/refused_macs.h"

bool refused_macs_have(const struct refused_macs *refused, const struct mac *mac)
{
	for (size_t i = 0; refused && i < refused->count && i < REFUSED_MACS_MAX; i++)
		if (mac_equal(&refused->macs[i], mac))
			return true;
	return false;
}

bool refused_macs_add(struct refused_macs *refused, const struct mac *mac)
{
	if (!mac->set || refused_macs_have(refused, mac))
		return false;
	refused->macs[refused->count++ % REFUSED_MACS_MAX] = *mac;
	return true;
}
