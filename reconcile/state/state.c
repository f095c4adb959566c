#include "reconcile/state/state.h"

#include "kernel/link_kind.h"
#include "lib/arena.h"

#include <linux/rtnetlink.h>
#include <string.h>

bool live_container_unknown(const struct container_lookup *lookup)
{
	const bool refused = lookup->code == CODE_NAMESPACE_OWNER;
	return lookup->state == CONTAINER_FAILED && (lookup->container->n_attachments || !refused);
}

void live_containers_link(struct live *live)
{
	for (size_t i = 0; i < live->n_namespaces; i++)
		live->namespaces[i]->lookups = NULL;
	for (size_t i = live->n_containers; i-- > 0;) {
		struct container_lookup *lookup = &live->container_lookups[i];
		lookup->next = NULL;
		if (lookup->state != CONTAINER_READY || !lookup->ns)
			continue;
		lookup->next = lookup->ns->lookups;
		lookup->ns->lookups = lookup;
	}
}

bool live_complete(const struct live *live)
{
	for (size_t i = 0; i < live->n_containers; i++)
		if (live_container_unknown(&live->container_lookups[i]))
			return false;
	return live->n_namespaces > 0 && live->n_unreadable == 0;
}

const char **live_unreadable_texts(const struct live *live, struct arena *arena)
{
	const char **texts = arena_alloc(arena, (live->n_unreadable + 1) * sizeof(*texts));
	for (size_t i = 0; i < live->n_unreadable; i++)
		texts[i] = live->unreadable[i].text;
	return texts;
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

bool live_link_on(const struct live_link *link, int parent)
{
	return link->parent_where == PARENT_HOST && link->parent == parent;
}

bool live_link_is_pair(const struct live_link *link)
{
	return strcmp(link->kind_name, "veth") == 0 || strcmp(link->kind_name, "netkit") == 0;
}

const struct live_link *live_link_parent(const struct live_ns *host, const struct live_link *link)
{
	return link->parent_where == PARENT_HOST ? live_link_by_index(host, link->parent) : NULL;
}

const struct live_link *live_vlan_base(const struct live_ns *host, const struct live_link *link)
{
	return link->kind == KIND_VLAN ? live_link_parent(host, link) : NULL;
}

const struct live_link *live_link_vrf(const struct live_ns *ns, const struct live_link *link)
{
	const struct live_link *master = link->master ? live_link_by_index(ns, link->master) : NULL;
	return master && master->vrf_table ? master : NULL;
}

uint32_t live_vrf_table(const struct live_link *vrf)
{
	return vrf->vrf_table == RT_TABLE_MAIN ? 0 : vrf->vrf_table;
}

bool live_parent_away(const struct live_link *link)
{
	return link_type(link->kind)->has_parent &&
	       (link->parent_where == PARENT_OTHER_NETNS || link->parent_where == PARENT_SAME);
}

static bool altnames_equal(const struct live_link *a, const struct live_link *b)
{
	for (size_t i = 0; a->n_altnames == b->n_altnames && i < a->n_altnames; i++)
		if (strcmp(a->altnames[i], b->altnames[i]) != 0)
			return false;
	return a->n_altnames == b->n_altnames;
}

static bool details_equal(const struct live_link *a, const struct live_link *b)
{
	return a->kind == b->kind && a->mode == b->mode && a->mode_known == b->mode_known &&
	       a->vlan == b->vlan && a->vlan_protocol == b->vlan_protocol &&
	       a->vlan_filtering == b->vlan_filtering && a->has_bcqueuelen == b->has_bcqueuelen &&
	       a->bcqueuelen == b->bcqueuelen && a->bclim == b->bclim &&
	       a->ipvlan_flag == b->ipvlan_flag && a->txqueuelen == b->txqueuelen;
}

bool live_link_equal(const struct live_link *a, const struct live_link *b)
{
	return a->ifindex == b->ifindex && a->type == b->type && a->mtu == b->mtu &&
	       a->flags == b->flags && a->master == b->master && a->parent == b->parent &&
	       a->mac.set == b->mac.set && mac_equal(&a->mac, &b->mac) && details_equal(a, b) &&
	       strcmp(a->name, b->name) == 0 && strcmp(a->alias, b->alias) == 0 &&
	       strcmp(a->kind_name, b->kind_name) == 0 && altnames_equal(a, b);
}

const char *live_sysctl(const struct live_link *link, const char *key)
{
	for (size_t i = 0; i < link->n_sysctls; i++)
		if (strcmp(link->sysctls[i].key, key) == 0)
			return link->sysctls[i].value;
	return NULL;
}

bool live_addr_leased(const struct live_addr *addr, bool has_protocol)
{
	return addr->prefix.ip.family == AF_INET && addr->valid &&
	       (addr->proto == OWNER_TAG_PROTOCOL || !has_protocol);
}

const struct live_addr *live_lease(const struct live *live, const struct live_ns *ns,
				   const struct live_link *link)
{
	if (link->tag.role != ROLE_ATTACH)
		return NULL;
	each_addr_of (addr, ns, link->ifindex)
		if (live_addr_leased(addr, live->addr_proto))
			return addr;
	return NULL;
}

bool live_addr_autoconf(const struct live_addr *addr)
{
	const bool advertised = addr->flags & (IFA_F_MANAGETEMPADDR | IFA_F_TEMPORARY);
	return addr->prefix.ip.family == AF_INET6 && !(addr->flags & IFA_F_PERMANENT) &&
	       (addr->valid || advertised) && addr->proto != OWNER_TAG_PROTOCOL;
}

bool live_link_advertised(const struct live_ns *ns, const struct live_link *link)
{
	each_addr_of (addr, ns, link->ifindex)
		if (live_addr_autoconf(addr))
			return true;
	each_route_of (route, ns, link->ifindex)
		if (route->proto == RTPROT_RA)
			return true;
	return false;
}

static bool sysctl_is(const struct live_link *link, const char *key, const char *expected)
{
	const char *value = live_sysctl(link, key);
	return value && strcmp(value, expected) == 0;
}

/* Whether a gateway of the files or another link has the default route of IPv6. */
static bool has_default_before(const struct live_ns *ns, const struct live_link *link)
{
	for (size_t i = 0; i < ns->n_routes; i++)
		if (ns->routes[i].proto == OWNER_TAG_PROTOCOL &&
		    ns->routes[i].to.ip.family == AF_INET6 && !ns->routes[i].table &&
		    live_route_is_default(&ns->routes[i]))
			return true;
	for (size_t i = 0; i < ns->n_links; i++)
		if (&ns->links[i] != link &&
		    sysctl_is(&ns->links[i], ACCEPT_RA_KEY, ACCEPT_RA_ALWAYS) &&
		    sysctl_is(&ns->links[i], ACCEPT_RA_DEFRTR_KEY, "1"))
			return true;
	return false;
}

bool live_link_accepts_ra(const struct live_ns *ns, const struct live_link *link)
{
	return sysctl_is(link, ACCEPT_RA_KEY, ACCEPT_RA_ALWAYS) &&
	       (live_link_advertised(ns, link) ||
		sysctl_is(link, ACCEPT_RA_DEFRTR_KEY, has_default_before(ns, link) ? "0" : "1"));
}
