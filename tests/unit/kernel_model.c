#include "tests/unit/kernel_model.h"

#include "kernel/link_kind.h"
#include "reconcile/state/policy_routing.h"

#include <errno.h>
#include <linux/if.h>
#include <string.h>

#define MTU_DEFAULT 1500

static struct live_link *link_at(struct live_ns *ns, int ifindex)
{
	for (size_t i = 0; i < ns->n_links; i++)
		if (ns->links[i].ifindex == ifindex)
			return &ns->links[i];
	return NULL;
}

static struct live_link *parent_of(struct live *live, const struct live_link *link)
{
	return link->parent_where == PARENT_HOST ? link_at(live->namespaces[0], link->parent)
						 : NULL;
}

static bool shares_parent(const struct live_link *a, const struct live_link *b)
{
	return a->parent_where == PARENT_HOST && b->parent_where == PARENT_HOST &&
	       a->parent == b->parent;
}

/* Another link on the same parent for which `same` returns true. */
static bool link_on_parent_exists(const struct live *live, const struct live_link *link,
				  bool (*same)(const struct live_link *, const struct live_link *))
{
	for (size_t i = 0; i < live->n_namespaces; i++)
		for (size_t k = 0; k < live->namespaces[i]->n_links; k++) {
			const struct live_link *other = &live->namespaces[i]->links[k];
			if (other != link && shares_parent(other, link) && same(other, link))
				return true;
		}
	return false;
}

/* --- links */

/* A macvtap is a macvlan with a character device: macvtap_newlink calls macvlan_common_newlink. */
static bool is_macvlan(const struct live_link *link)
{
	return link->kind == KIND_MACVLAN || link->kind == KIND_MACVTAP;
}

static bool same_vlan(const struct live_link *a, const struct live_link *b)
{
	return a->kind == KIND_VLAN && a->vlan == b->vlan && a->vlan_protocol == b->vlan_protocol;
}

/* One receive handler a link: macvlan's or ipvlan's. */
static bool excludes(const struct live_link *a, const struct live_link *b)
{
	return (is_macvlan(a) && b->kind == KIND_IPVLAN) ||
	       (a->kind == KIND_IPVLAN && is_macvlan(b));
}

/* macvlan_common_newlink, ipvlan_link_new, vlan_newlink; the name comes last (register_netdevice).
 * ipvlan takes any mtu. */
static int link_refused(struct live *live, const struct live_ns *ns, const struct live_link *like)
{
	const struct live_link *parent = parent_of(live, like);
	if (like->parent && !parent)
		return -ENODEV;
	if (like->kind == KIND_VLAN && link_on_parent_exists(live, like, same_vlan))
		return -EEXIST;
	if (parent && like->kind != KIND_IPVLAN && like->mtu > parent->mtu)
		return -EINVAL;
	if (link_on_parent_exists(live, like, excludes))
		return -EBUSY;
	return live_link_by_name(ns, like->name) ? -EEXIST : 0;
}

static int ifindex_next(const struct live_ns *ns)
{
	int highest = 1;
	for (size_t i = 0; i < ns->n_links; i++)
		if (ns->links[i].ifindex > highest)
			highest = ns->links[i].ifindex;
	return highest + 1;
}

/* The parent's own; for a macvlan that shares its parent, and a dummy, any other. */
static struct mac mac_given(const struct live_ns *ns, const struct live_link *parent,
			    const struct live_link *link)
{
	bool shares = !is_macvlan(link) || link->mode == MODE_PASSTHRU;
	return parent && shares ? parent->mac
				: (struct mac){.bytes = {0x52, 0x54, 0, 1, (uint8_t)ns->inode,
							 (uint8_t)link->ifindex},
					       .set = true};
}

/* macvlan and ipvlan keep it in the port, which their links of one parent share. */
static void port_set(struct live *live, const struct live_link *link)
{
	for (size_t i = 0; i < live->n_namespaces; i++)
		for (size_t k = 0; k < live->namespaces[i]->n_links; k++) {
			struct live_link *other = &live->namespaces[i]->links[k];
			if (!shares_parent(other, link) || is_macvlan(other) != is_macvlan(link))
				continue;
			other->bclim = link->bclim;
			other->ipvlan_flag = link->ipvlan_flag;
		}
}

int kernel_link_add(struct live *live, struct live_ns *ns, const struct live_link *like,
		    int *ret_ifindex)
{
	int status = link_refused(live, ns, like);
	if (status < 0)
		return status;
	const struct live_link *parent = parent_of(live, like);
	struct live_link link = *like;
	link.ifindex = ifindex_next(ns);
	link.name = arena_strdup(ns->arena, like->name);
	link.kind_name = link_kind_name(like->kind);
	link.alias = "";
	link.flags = IFF_LOWER_UP;
	link.mode_known = true;
	link.has_bcqueuelen = is_macvlan(like);
	if (!link.txqueuelen)
		link.txqueuelen = link_type(like->kind)->txqueuelen;
	if (!link.mtu)
		link.mtu = parent ? parent->mtu : MTU_DEFAULT;
	if (!link.mac.set || link.mode == MODE_PASSTHRU)
		link.mac = mac_given(ns, parent, &link);
	*ret_ifindex = link.ifindex;
	*array_push(ns->arena, ns->links, ns->n_links) = link;
	if (parent)
		port_set(live, &link);
	return 0;
}

static void addrs_drop(struct live_ns *ns, int ifindex)
{
	size_t kept = 0;
	for (size_t i = 0; i < ns->n_addrs; i++)
		if (ns->addrs[i].ifindex != ifindex)
			ns->addrs[kept++] = ns->addrs[i];
	ns->n_addrs = kept;
}

/* The addresses of one family, or (0) all. */
static void routes_drop(struct live_ns *ns, int ifindex, uint8_t family)
{
	size_t kept = 0;
	for (size_t i = 0; i < ns->n_routes; i++)
		if (ns->routes[i].ifindex != ifindex ||
		    (family && ns->routes[i].to.ip.family != family))
			ns->routes[kept++] = ns->routes[i];
	ns->n_routes = kept;
}

static int child_of(const struct live_ns *ns, int parent)
{
	for (size_t i = 0; i < ns->n_links; i++)
		if (ns->links[i].parent_where == PARENT_HOST && ns->links[i].parent == parent)
			return ns->links[i].ifindex;
	return 0;
}

int kernel_link_delete(struct live *live, struct live_ns *ns, int ifindex)
{
	if (!link_at(ns, ifindex))
		return -ENODEV;
	for (size_t i = 0; ns->host && i < live->n_namespaces; i++)
		for (int child; (child = child_of(live->namespaces[i], ifindex));)
			(void)kernel_link_delete(live, live->namespaces[i], child);
	*link_at(ns, ifindex) = ns->links[ns->n_links - 1];
	ns->n_links--;
	addrs_drop(ns, ifindex);
	routes_drop(ns, ifindex, 0);
	return 0;
}

/* dev_change_name */
int kernel_link_rename(struct live_ns *ns, int ifindex, const char *name, bool live_rename)
{
	struct live_link *link = link_at(ns, ifindex);
	if (!link)
		return -ENODEV;
	if (!live_rename && link->flags & IFF_UP)
		return -EBUSY;
	if (strcmp(link->name, name) == 0)
		return 0;
	if (live_link_by_name(ns, name))
		return -EEXIST;
	link->name = arena_strdup(ns->arena, name);
	return 0;
}

int kernel_link_alias(struct live_ns *ns, int ifindex, const char *alias)
{
	struct live_link *link = link_at(ns, ifindex);
	if (!link)
		return -ENODEV;
	link->alias = arena_strdup(ns->arena, alias);
	link->tag = owner_tag_parse(ns->arena, link->alias);
	return 0;
}

static bool same_mac_and_up(const struct live_link *a, const struct live_link *b)
{
	return is_macvlan(a) && a->flags & IFF_UP && mac_equal(&a->mac, &b->mac);
}

/* macvlan_addr_busy: the parent's own, or that of a macvlan that is up. */
static bool mac_busy(struct live *live, const struct live_link *link)
{
	const struct live_link *parent = parent_of(live, link);
	return is_macvlan(link) && link->mode != MODE_PASSTHRU && parent &&
	       (mac_equal(&parent->mac, &link->mac) ||
		link_on_parent_exists(live, link, same_mac_and_up));
}

/* macvlan_set_mac_address; macvlan_open does the same for what got it otherwise. */
int kernel_link_mac(struct live *live, struct live_ns *ns, int ifindex, const struct mac *mac)
{
	struct live_link *link = link_at(ns, ifindex);
	if (!link)
		return -ENODEV;
	const struct mac before = link->mac;
	link->mac = *mac;
	if (!mac_equal(&before, mac) && mac_busy(live, link)) {
		link->mac = before;
		return -EADDRINUSE;
	}
	return 0;
}

/* macvlan_change_mtu, vlan_dev_change_mtu; ipvlan takes any. */
int kernel_link_mtu(struct live *live, struct live_ns *ns, int ifindex, uint32_t mtu)
{
	struct live_link *link = link_at(ns, ifindex);
	if (!link)
		return -ENODEV;
	const struct live_link *parent = parent_of(live, link);
	if (parent && link->kind != KIND_IPVLAN && mtu > parent->mtu && mtu != link->mtu)
		return link->kind == KIND_VLAN ? -ERANGE : -EINVAL;
	link->mtu = mtu;
	return 0;
}

int kernel_link_mode(struct live_ns *ns, int ifindex, enum link_mode mode)
{
	struct live_link *link = link_at(ns, ifindex);
	if (!link)
		return -ENODEV;
	link->mode = mode;
	return 0;
}

int kernel_link_bcqueuelen(struct live_ns *ns, int ifindex, uint32_t length)
{
	struct live_link *link = link_at(ns, ifindex);
	if (!link)
		return -ENODEV;
	link->bcqueuelen = length;
	return 0;
}

int kernel_link_bclim(struct live *live, struct live_ns *ns, int ifindex, int limit)
{
	struct live_link *link = link_at(ns, ifindex);
	if (!link)
		return -ENODEV;
	link->bclim = limit;
	port_set(live, link);
	return 0;
}

int kernel_link_ipvlan_flag(struct live *live, struct live_ns *ns, int ifindex,
			    enum ipvlan_flag flag)
{
	struct live_link *link = link_at(ns, ifindex);
	if (!link)
		return -ENODEV;
	link->ipvlan_flag = flag;
	port_set(live, link);
	return 0;
}

int kernel_link_txqueuelen(struct live_ns *ns, int ifindex, uint32_t length)
{
	struct live_link *link = link_at(ns, ifindex);
	if (!link)
		return -ENODEV;
	link->txqueuelen = length;
	return 0;
}

int kernel_link_flag(struct live_ns *ns, int ifindex, unsigned flag, bool set)
{
	struct live_link *link = link_at(ns, ifindex);
	if (!link)
		return -ENODEV;
	link->flags = set ? link->flags | flag : link->flags & ~flag;
	return 0;
}

/* netdev_name_node_alt_create: names and altnames share one table. */
int kernel_altname_add(struct live_ns *ns, int ifindex, const char *name)
{
	struct live_link *link = link_at(ns, ifindex);
	if (!link)
		return -ENODEV;
	if (live_link_by_name(ns, name))
		return -EEXIST;
	const char **altnames =
		arena_alloc(ns->arena, (link->n_altnames + 1) * sizeof(*link->altnames));
	for (size_t i = 0; i < link->n_altnames; i++)
		altnames[i] = link->altnames[i];
	altnames[link->n_altnames++] = arena_strdup(ns->arena, name);
	link->altnames = altnames;
	return 0;
}

int kernel_altname_delete(struct live_ns *ns, int ifindex, const char *name)
{
	struct live_link *link = link_at(ns, ifindex);
	size_t kept = 0;
	if (!link)
		return -ENODEV;
	for (size_t i = 0; i < link->n_altnames; i++)
		if (strcmp(link->altnames[i], name) != 0)
			link->altnames[kept++] = link->altnames[i];
	if (kept == link->n_altnames)
		return -ENOENT;
	link->n_altnames = kept;
	return 0;
}

int kernel_link_up(struct live *live, struct live_ns *ns, int ifindex)
{
	struct live_link *link = link_at(ns, ifindex);
	if (!link)
		return -ENODEV;
	if (!(link->flags & IFF_UP) && mac_busy(live, link))
		return -EADDRINUSE;
	link->flags |= IFF_UP;
	return 0;
}

/* IPv4 addresses are kept, their routes are not. */
int kernel_link_down(struct live_ns *ns, int ifindex)
{
	struct live_link *link = link_at(ns, ifindex);
	size_t kept = 0;
	if (!link)
		return -ENODEV;
	if (!(link->flags & IFF_UP))
		return 0;
	link->flags &= ~(unsigned)IFF_UP;
	routes_drop(ns, ifindex, 0);
	for (size_t i = 0; i < ns->n_addrs; i++)
		if (ns->addrs[i].ifindex != ifindex || ns->addrs[i].prefix.ip.family == AF_INET)
			ns->addrs[kept++] = ns->addrs[i];
	ns->n_addrs = kept;
	return 0;
}

/* --- addresses */

static struct live_addr *addr_at(const struct live_ns *ns, int ifindex, const struct prefix *addr)
{
	for (size_t i = 0; i < ns->n_addrs; i++) {
		const struct prefix *current = &ns->addrs[i].prefix;
		bool same = addr->ip.family == AF_INET6 ? ip_equal(&current->ip, &addr->ip)
							: prefix_equal(current, addr);
		if (ns->addrs[i].ifindex == ifindex && same)
			return &ns->addrs[i];
	}
	return NULL;
}

/* ipvlan distinguishes its links by address, on one parent. */
static bool ipvlan_addr_busy(struct live *live, const struct live_link *link, const struct ip *ip)
{
	for (size_t i = 0; i < live->n_namespaces; i++) {
		struct live_ns *ns = live->namespaces[i];
		for (size_t k = 0; k < ns->n_addrs; k++) {
			const struct live_link *other = link_at(ns, ns->addrs[k].ifindex);
			if (other->kind == KIND_IPVLAN && shares_parent(other, link) &&
			    ip_equal(&ns->addrs[k].prefix.ip, ip))
				return true;
		}
	}
	return false;
}

int kernel_addr_add(struct live *live, struct live_ns *ns, int ifindex, const struct prefix *addr,
		    uint8_t proto, bool replace)
{
	const struct live_link *link = link_at(ns, ifindex);
	struct live_addr *there = addr_at(ns, ifindex, addr);
	if (!link)
		return -ENODEV;
	if (there && !replace)
		return -EEXIST;
	if (there) {
		there->proto = proto;
		return 0;
	}
	if (link->kind == KIND_IPVLAN && ipvlan_addr_busy(live, link, &addr->ip))
		return -EADDRINUSE;
	*array_push(ns->arena, ns->addrs, ns->n_addrs) =
		(struct live_addr){.ifindex = ifindex, .prefix = *addr, .proto = proto};
	return 0;
}

static bool same_subnet(const struct prefix *a, const struct prefix *b)
{
	return a->len == b->len && prefix_contains(a, &b->ip);
}

/* Whether an earlier address of the link has the same subnet: it is then a secondary one, which
 * goes with the first (__inet_del_ifa, where net.ipv4.conf.*.promote_secondaries is 0). */
static bool secondary(const struct live_ns *ns, const struct live_addr *addr)
{
	for (const struct live_addr *before = ns->addrs; before < addr; before++)
		if (before->ifindex == addr->ifindex && addr->prefix.ip.family == AF_INET &&
		    same_subnet(&before->prefix, &addr->prefix))
			return true;
	return false;
}

static bool has_ipv4(const struct live_ns *ns, int ifindex)
{
	for (size_t i = 0; i < ns->n_addrs; i++)
		if (ns->addrs[i].ifindex == ifindex && ns->addrs[i].prefix.ip.family == AF_INET)
			return true;
	return false;
}

/* fib_disable_ip: with its last IPv4 address a link loses its routes. */
int kernel_addr_delete(struct live_ns *ns, int ifindex, const struct prefix *addr)
{
	const struct live_addr *gone = addr_at(ns, ifindex, addr);
	size_t kept = 0;
	if (!link_at(ns, ifindex))
		return -ENODEV;
	if (!gone)
		return -EADDRNOTAVAIL;
	const struct prefix prefix = gone->prefix;
	bool others = prefix.ip.family == AF_INET && !secondary(ns, gone);
	for (size_t i = 0; i < ns->n_addrs; i++) {
		const struct live_addr *current = &ns->addrs[i];
		if (current->ifindex != ifindex ||
		    !(prefix_equal(&current->prefix, &prefix) ||
		      (others && same_subnet(&current->prefix, &prefix))))
			ns->addrs[kept++] = *current;
	}
	ns->n_addrs = kept;
	if (prefix.ip.family == AF_INET && !has_ipv4(ns, ifindex))
		routes_drop(ns, ifindex, AF_INET);
	return 0;
}

/* --- routes */

/* What the kernel chooses. */
static void options_complete(struct live_route *route)
{
	const bool ipv4 = route->to.ip.family == AF_INET;
	if (!ipv4 && !route->options.metric)
		route->options.metric = 1024;
	if (!route->options.scope)
		route->options.scope = route->via.family || !ipv4 ? SCOPE_GLOBAL : SCOPE_LINK;
}

static struct live_route *route_at(const struct live_ns *ns, const struct link_route *route)
{
	for (size_t i = 0; i < ns->n_routes; i++)
		if (link_route_is(route, &ns->routes[i]))
			return &ns->routes[i];
	return NULL;
}

/* fib_check_nh: a router must be in a subnet of the link, whose route exists only while the link is
 * up. */
static bool reachable(const struct live_ns *ns, const struct live_link *link, const struct ip *via)
{
	if (!link)
		return false;
	for (size_t i = 0; link->flags & IFF_UP && i < ns->n_addrs; i++)
		if (ns->addrs[i].ifindex == link->ifindex &&
		    prefix_contains(&ns->addrs[i].prefix, via))
			return true;
	for (size_t i = 0; i < ns->n_routes; i++)
		if (ns->routes[i].ifindex == link->ifindex && !ns->routes[i].via.family &&
		    prefix_contains(&ns->routes[i].to, via))
			return true;
	return false;
}

/* A route that leads nowhere has no link. */
static int route_device(int own, const struct link_route *route)
{
	if (route->options.type)
		return 0;
	return route->device ? route->device : own;
}

int kernel_route_add(struct live_ns *ns, int own, const struct link_route *route, uint8_t proto,
		     bool replace)
{
	const int ifindex = route_device(own, route);
	const struct live_link *link = link_at(ns, ifindex);
	struct live_route *live = route_at(ns, route);
	if (!link && !route->options.type)
		return -ENODEV;
	const struct ip *via = &route->via;
	if (via->family && !route->options.on_link && !ip_is_link_local(via) &&
	    !reachable(ns, link, &route->via))
		return -ENETUNREACH;
	if (link && !(link->flags & IFF_UP))
		return -ENETDOWN;
	if (live && !replace)
		return -EEXIST;
	if (!live)
		live = array_push(ns->arena, ns->routes, ns->n_routes);
	*live = (struct live_route){.ifindex = ifindex,
				    .table = route->table,
				    .to = route->to,
				    .via = route->via,
				    .options = route->options,
				    .proto = proto};
	options_complete(live);
	return 0;
}

int kernel_route_delete(struct live_ns *ns, int own, const struct link_route *route)
{
	const int ifindex = route_device(own, route);
	struct live_route *live = route_at(ns, route);
	if (!link_at(ns, ifindex) && !route->options.type)
		return -ENODEV;
	if (!live || live->ifindex != ifindex)
		return -ESRCH;
	*live = ns->routes[--ns->n_routes];
	return 0;
}

/* --- rules of policy routing */

/* fib_nl_newrule: behind those of the same priority. */
int kernel_rule_add(struct live_ns *ns, const struct policy_rule *rule)
{
	if (live_rule_exists(ns, rule))
		return -EEXIST;
	*array_push(ns->arena, ns->rules, ns->n_rules) =
		(struct live_rule){.rule = *rule, .proto = OWNER_TAG_PROTOCOL};
	return 0;
}

int kernel_rule_delete(struct live_ns *ns, const struct policy_rule *rule)
{
	for (size_t i = 0; i < ns->n_rules; i++) {
		if (!live_rule_managed(&ns->rules[i]) ||
		    !policy_rule_equal(&ns->rules[i].rule, rule))
			continue;
		ns->rules[i] = ns->rules[--ns->n_rules];
		return 0;
	}
	return -ENOENT;
}
