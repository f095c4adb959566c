#include "reconcile/live.h"

#include <string.h>

const struct live_link *live_link_by_index(const struct live_ns *ns, int ifindex)
{
	for (size_t i = 0; i < ns->n_links; i++)
		if (ns->links[i].ifindex == ifindex)
			return &ns->links[i];
	return NULL;
}

bool live_link_is_called(const struct live_link *link, const char *name)
{
	if (strcmp(link->name, name) == 0)
		return true;
	for (size_t i = 0; i < link->n_altnames; i++)
		if (strcmp(link->altnames[i], name) == 0)
			return true;
	return false;
}

const struct live_link *live_link_by_name(const struct live_ns *ns, const char *name)
{
	for (size_t i = 0; i < ns->n_links; i++)
		if (live_link_is_called(&ns->links[i], name))
			return &ns->links[i];
	return NULL;
}

const char *live_sysctl(const struct live_link *link, const char *key)
{
	for (size_t i = 0; i < link->n_sysctls; i++)
		if (strcmp(link->sysctls[i].key, key) == 0)
			return link->sysctls[i].value;
	return NULL;
}
