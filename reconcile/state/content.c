#include "reconcile/state/content.h"

#include "lib/keyed_hash.h"

#include <linux/rtnetlink.h>
#include <net/if.h>
#include <string.h>

/* IFAPROT_KERNEL_LL of newer headers. */
#define PROTOCOL_LINK_LOCAL 3

/* Copies are hashed whole, without the pointers that are followed here: a member that is added to a
 * structure counts at once, and a pointer that is not followed makes content differ, which costs
 * one more plan. */
static uint64_t value_hash(uint64_t hash, const void *value, size_t size)
{
	return size ? keyed_hash(hash, value, size) : hash;
}

/* The kernel's own address of a link: it is tentative until no other machine has answered, and no
 * plan depends on it. Kernels before 5.18 do not report the protocol. */
static bool kernel_link_local(const struct live_addr *addr)
{
	return addr->proto == PROTOCOL_LINK_LOCAL && addr->prefix.ip.family == AF_INET6 &&
	       ip_is_link_local(&addr->prefix.ip);
}

/* A container can set its loopback up and down at any time, which changes its flags, the addresses
 * 127.0.0.0/8 and ::1, and the kernel's routes to them. */
static bool loopback_in_container(const struct live_ns *ns, const struct live_link *link)
{
	return !ns->host && link->flags & IFF_LOOPBACK;
}

/* In place of the ifindex in a container: a link that was deleted and created again has another
 * ifindex, and a plan only compares them. The links are sorted by it. */
static int place_of(const struct live_ns *ns, int ifindex)
{
	const struct live_link *link = ns->host ? NULL : live_link_by_index(ns, ifindex);
	return link ? -1 - (int)(link - ns->links) : ifindex;
}

static uint64_t sysctls_hash(uint64_t hash, const struct live_link *link)
{
	for (size_t i = 0; i < link->n_sysctls; i++) {
		hash = keyed_hash_text(hash, link->sysctls[i].key);
		hash = keyed_hash_text(hash, link->sysctls[i].value);
	}
	return hash;
}

static uint64_t link_hash(uint64_t hash, const struct live_ns *ns, const struct live_link *link)
{
	struct live_link flat;
	memcpy(&flat, link, sizeof(flat));
	flat.name = flat.kind_name = flat.alias = flat.device_bus = flat.device = NULL;
	flat.altnames = NULL;
	flat.bridge_vlans = NULL;
	flat.sysctls = NULL;
	memset(&flat.tag, 0, sizeof(flat.tag)); /* of the alias */
	if (loopback_in_container(ns, link))
		flat.flags = 0;
	flat.ifindex = place_of(ns, link->ifindex);
	flat.master = place_of(ns, link->master);
	if (link->parent_where == PARENT_SAME)
		flat.parent = place_of(ns, link->parent);
	hash = value_hash(hash, &flat, sizeof(flat));
	hash = keyed_hash_text(hash, link->name);
	hash = keyed_hash_text(hash, link->kind_name);
	hash = keyed_hash_text(hash, link->alias);
	hash = keyed_hash_text(hash, link->device_bus);
	hash = keyed_hash_text(hash, link->device);
	for (size_t i = 0; i < link->n_altnames; i++)
		hash = keyed_hash_text(hash, link->altnames[i]);
	hash = value_hash(hash, link->bridge_vlans,
			  link->n_bridge_vlans * sizeof(*link->bridge_vlans));
	return sysctls_hash(hash, link);
}

static uint64_t addr_hash(uint64_t hash, const struct live_ns *ns, const struct live_addr *addr,
			  bool addr_proto)
{
	struct live_addr flat;
	memcpy(&flat, addr, sizeof(flat));
	if (!ns->host && (ip_is_loopback(&addr->prefix.ip) || kernel_link_local(addr)))
		return hash;
	flat.ifindex = place_of(ns, addr->ifindex);
	if (addr_proto)
		flat.created = 0;
	return value_hash(hash, &flat, sizeof(flat));
}

static uint64_t routes_hash(uint64_t hash, const struct live_ns *ns)
{
	for (size_t i = 0; i < ns->n_routes; i++) {
		const struct live_route *route = &ns->routes[i];
		struct live_route flat;
		memcpy(&flat, route, sizeof(flat));
		flat.ifindex = place_of(ns, route->ifindex);
		if (ns->host || route->proto != RTPROT_KERNEL || !ip_is_loopback(&route->to.ip))
			hash = value_hash(hash, &flat, sizeof(flat));
	}
	return hash;
}

static uint64_t text_hash(uint64_t hash, const char *text)
{
	return keyed_hash_text(hash, text ? text : "");
}

/* The members that describe the namespace itself. */
static uint64_t identity_hash(uint64_t hash, const struct live_ns *ns)
{
	const uint64_t values[] = {ns->device,     ns->inode,         (uint64_t)ns->nsid,
				   ns->n_links,    ns->n_rules,       ns->by_process,
				   ns->user_made,  ns->former,        ns->engine_links,
				   ns->rules_read, ns->own_routes,    ns->details,
				   ns->dead,       ns->ipv6_disabled, ns->default_sysctls != NULL};
	hash = value_hash(hash, values, sizeof(values));
	hash = text_hash(hash, ns->name);
	hash = text_hash(hash, ns->source);
	return text_hash(hash, ns->crowded);
}

static bool has_lifetimes(const struct live_ns *ns)
{
	for (size_t i = 0; i < ns->n_addrs; i++)
		if (ns->addrs[i].valid)
			return true;
	return false;
}

uint64_t live_ns_content(const struct live_ns *ns, bool addr_proto, uint64_t secret)
{
	uint64_t hash = identity_hash(secret, ns);
	if (has_lifetimes(ns))
		return 0;
	for (size_t i = 0; i < ns->n_links; i++)
		hash = link_hash(hash, ns, &ns->links[i]);
	for (size_t i = 0; i < ns->n_addrs; i++)
		hash = addr_hash(hash, ns, &ns->addrs[i], addr_proto);
	hash = routes_hash(hash, ns);
	hash = value_hash(hash, ns->rules, ns->n_rules * sizeof(*ns->rules));
	if (ns->default_sysctls)
		hash = sysctls_hash(hash, ns->default_sysctls);
	return hash ? hash : 1;
}
