#include "kernel/rtnl_encode.h"

#include "lib/escape.h"

#include <arpa/inet.h>
#include <linux/fib_rules.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/neighbour.h>
#include <linux/net_namespace.h>
#include <linux/rtnetlink.h>
#include <string.h>

/* Room for an alias (IFALIASZ) or a name of which all bytes are escaped. */
#define NAME_SIZE 1100

/* Begins a request with a zeroed fixed header of that size. */
static void *message_begin(union message *message, uint16_t type, uint16_t flags, size_t header)
{
	memset(message, 0, sizeof(*message));
	struct nlmsghdr *begun = mnl_nlmsg_put_header(message);
	begun->nlmsg_type = type;
	begun->nlmsg_flags = flags;
	return mnl_nlmsg_put_extra_header(begun, header);
}

static bool put(union message *message, uint16_t type, const void *bytes, size_t size)
{
	return mnl_attr_put_check(&message->header, sizeof(*message), type, size, bytes);
}

static bool put_u8(union message *message, uint16_t type, uint8_t value)
{
	return put(message, type, &value, sizeof(value));
}

static bool put_u16(union message *message, uint16_t type, uint16_t value)
{
	return put(message, type, &value, sizeof(value));
}

static bool put_u32(union message *message, uint16_t type, uint32_t value)
{
	return put(message, type, &value, sizeof(value));
}

static bool put_text(union message *message, uint16_t type, const char *text)
{
	return put(message, type, text, strlen(text) + 1);
}

/* A name that rtnl_decode.c escaped. */
static bool put_name(union message *message, uint16_t type, const char *name)
{
	char bytes[NAME_SIZE];
	return strlen(name) < sizeof(bytes) && put(message, type, bytes, unescape(bytes, name) + 1);
}

static bool put_ip(union message *message, uint16_t type, const struct ip *ip)
{
	return put(message, type, ip->bytes, ip_bits(ip) / 8);
}

static struct nlattr *nest(union message *message, uint16_t type)
{
	return mnl_attr_nest_start_check(&message->header, sizeof(*message), type);
}

static bool nest_end(union message *message, struct nlattr *start)
{
	mnl_attr_nest_end(&message->header, start);
	return true;
}

static void link_begin(union message *message, uint16_t type, uint16_t flags, int ifindex)
{
	struct ifinfomsg *link = message_begin(message, type, flags, sizeof(*link));
	link->ifi_family = AF_UNSPEC;
	link->ifi_index = ifindex;
}

bool encode_link_dump(union message *message)
{
	link_begin(message, RTM_GETLINK, NLM_F_DUMP, 0);
	return put_u32(message, IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
}

bool encode_bridge_vlan_dump(union message *message)
{
	struct ifinfomsg *link = message_begin(message, RTM_GETLINK, NLM_F_DUMP, sizeof(*link));
	link->ifi_family = AF_BRIDGE;
	return put_u32(message, IFLA_EXT_MASK, RTEXT_FILTER_BRVLAN_COMPRESSED);
}

bool encode_addr_dump(union message *message)
{
	message_begin(message, RTM_GETADDR, NLM_F_DUMP, sizeof(struct ifaddrmsg));
	return true;
}

bool encode_route_dump(union message *message)
{
	message_begin(message, RTM_GETROUTE, NLM_F_DUMP, sizeof(struct rtmsg));
	return put_u32(message, RTA_TABLE, RT_TABLE_MAIN);
}

bool encode_all_route_dump(union message *message)
{
	message_begin(message, RTM_GETROUTE, NLM_F_DUMP, sizeof(struct rtmsg));
	return true;
}

bool encode_table_route_dump(union message *message, uint32_t table)
{
	struct rtmsg *header = message_begin(message, RTM_GETROUTE, NLM_F_DUMP, sizeof(*header));
	header->rtm_protocol = OWNER_TAG_PROTOCOL;
	return put_u32(message, RTA_TABLE, table);
}

bool encode_rule_dump(union message *message)
{
	message_begin(message, RTM_GETRULE, NLM_F_DUMP, sizeof(struct fib_rule_hdr));
	return true;
}

bool encode_own_route_dump(union message *message)
{
	return encode_table_route_dump(message, RT_TABLE_MAIN);
}

bool encode_link_addrs_dump(union message *message, int ifindex)
{
	struct ifaddrmsg *header = message_begin(message, RTM_GETADDR, NLM_F_DUMP, sizeof(*header));
	header->ifa_index = (uint32_t)ifindex;
	return true;
}

bool encode_link_routes_dump(union message *message, int ifindex)
{
	message_begin(message, RTM_GETROUTE, NLM_F_DUMP, sizeof(struct rtmsg));
	return put_u32(message, RTA_OIF, (uint32_t)ifindex);
}

bool encode_link_get(union message *message, int ifindex)
{
	link_begin(message, RTM_GETLINK, 0, ifindex);
	return put_u32(message, IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
}

bool encode_link_find(union message *message, const char *name)
{
	link_begin(message, RTM_GETLINK, 0, 0);
	return put_name(message, IFLA_IFNAME, name) &&
	       put_u32(message, IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
}

/* One attribute of IFLA_INFO_DATA. */
static bool attribute_put(union message *message, const struct link_attribute *attribute,
			  const struct link_spec *spec)
{
	const uint32_t number = link_value_get(spec, attribute->value);
	return attribute->size == sizeof(number)
		       ? put_u32(message, attribute->type, number)
		       : put_u16(message, attribute->type, (uint16_t)number);
}

static bool info_put(union message *message, const struct link_spec *spec)
{
	struct nlattr *info = nest(message, IFLA_LINKINFO);
	if (!info || !put_text(message, IFLA_INFO_KIND, link_kind_name(spec->kind)))
		return false;
	const struct link_attribute *at = link_type(spec->kind)->attributes;
	struct nlattr *data = at->type ? nest(message, IFLA_INFO_DATA) : NULL;
	if (at->type && !data)
		return false;
	for (; at->type; at++)
		if (link_value_given(spec, at->value) && !attribute_put(message, at, spec))
			return false;
	return (!data || nest_end(message, data)) && nest_end(message, info);
}

bool encode_link_create(union message *message, const struct link_spec *spec,
			const struct link_creation *creation)
{
	const bool mac = spec->mac.set && !link_kind_shares_mac(spec->kind);
	link_begin(message, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, creation->ifindex);
	return put_name(message, IFLA_IFNAME, creation->name) &&
	       (!mac || put(message, IFLA_ADDRESS, spec->mac.bytes, sizeof(spec->mac.bytes))) &&
	       (!spec->mtu || put_u32(message, IFLA_MTU, spec->mtu)) &&
	       (!spec->has_txqueuelen || put_u32(message, IFLA_TXQLEN, spec->txqueuelen)) &&
	       (!creation->parent || put_u32(message, IFLA_LINK, (uint32_t)creation->parent)) &&
	       (!spec->vrf || put_u32(message, IFLA_MASTER, (uint32_t)spec->vrf)) &&
	       (!creation->other_netns ||
		put_u32(message, IFLA_LINK_NETNSID, (uint32_t)creation->nsid)) &&
	       info_put(message, spec);
}

/* `value`: an attribute of IFLA_INFO_DATA with a wrong size; 0: none. */
static bool probe_encode(union message *message, enum link_kind kind, uint16_t value)
{
	message_begin(message, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, sizeof(struct ifinfomsg));
	if (!put_u8(message, IFLA_ADDRESS, 0))
		return false;
	struct nlattr *info = nest(message, IFLA_LINKINFO);
	if (!info || !put_text(message, IFLA_INFO_KIND, link_kind_name(kind)))
		return false;
	struct nlattr *data = value ? nest(message, IFLA_INFO_DATA) : NULL;
	if (value && (!data || !put_u8(message, value, 0)))
		return false;
	return (!data || nest_end(message, data)) && nest_end(message, info);
}

bool encode_kind_probe(union message *message, enum link_kind kind)
{
	return probe_encode(message, kind, 0);
}

bool encode_bclim_probe(union message *message)
{
	return probe_encode(message, KIND_MACVLAN, MACVLAN_BC_CUTOFF);
}

bool encode_link_delete(union message *message, int ifindex)
{
	link_begin(message, RTM_DELLINK, 0, ifindex);
	return true;
}

/* Without the terminator, which the kernel adds. An attribute has at least one byte
 * (validate_nla). */
static bool put_alias(union message *message, const char *alias)
{
	char bytes[NAME_SIZE];
	if (strlen(alias) >= sizeof(bytes))
		return false;
	const size_t size = unescape(bytes, alias);
	return put(message, IFLA_IFALIAS, bytes, size ? size : 1);
}

bool encode_link_alias(union message *message, int ifindex, const char *alias)
{
	link_begin(message, RTM_SETLINK, 0, ifindex);
	return alias && put_alias(message, alias);
}

static bool values_put(union message *message, const struct link_change *change)
{
	const struct link_type *type = link_type(change->spec->kind);
	struct nlattr *info = nest(message, IFLA_LINKINFO);
	if (!info || !put_text(message, IFLA_INFO_KIND, type->name))
		return false;
	struct nlattr *data = nest(message, IFLA_INFO_DATA);
	size_t count = 0;
	for (const struct link_attribute *at = type->attributes; data && at->type; at++) {
		if (!(change->values & 1U << at->value))
			continue;
		if (!attribute_put(message, at, change->spec))
			return false;
		count++;
	}
	return count && nest_end(message, data) && nest_end(message, info);
}

/* RTM_SETLINK ignores IFLA_LINKINFO; RTM_NEWLINK of an existing link does not. */
bool encode_link_change(union message *message, int ifindex, const struct link_change *change)
{
	link_begin(message, change->values || change->flags_mask ? RTM_NEWLINK : RTM_SETLINK, 0,
		   ifindex);
	struct ifinfomsg *link = mnl_nlmsg_get_payload(&message->header);
	link->ifi_change = change->flags_mask;
	link->ifi_flags = change->flags;
	return (!change->values || values_put(message, change)) &&
	       (!change->txqueuelen || put_u32(message, IFLA_TXQLEN, change->spec->txqueuelen)) &&
	       (!change->mac ||
		put(message, IFLA_ADDRESS, change->mac->bytes, sizeof(change->mac->bytes))) &&
	       (!change->mtu || put_u32(message, IFLA_MTU, change->mtu)) &&
	       (!change->name || put_name(message, IFLA_IFNAME, change->name)) &&
	       (!change->alias || put_alias(message, change->alias));
}

static bool altname_encode(union message *message, uint16_t type, uint16_t flags, int ifindex,
			   const char *name)
{
	link_begin(message, type, flags, ifindex);
	struct nlattr *list = nest(message, IFLA_PROP_LIST);
	return list && put_name(message, IFLA_ALT_IFNAME, name) && nest_end(message, list);
}

bool encode_altname_add(union message *message, int ifindex, const char *name)
{
	return altname_encode(message, RTM_NEWLINKPROP, NLM_F_CREATE | NLM_F_EXCL | NLM_F_APPEND,
			      ifindex, name);
}

bool encode_altname_delete(union message *message, int ifindex, const char *name)
{
	return altname_encode(message, RTM_DELLINKPROP, 0, ifindex, name);
}

bool encode_link_move(union message *message, int ifindex, int fd, const char *name)
{
	link_begin(message, RTM_SETLINK, 0, ifindex);
	return put_u32(message, IFLA_NET_NS_FD, (uint32_t)fd) &&
	       put_name(message, IFLA_IFNAME, name);
}

static void addr_begin(union message *message, uint16_t type, uint16_t flags, int ifindex,
		       const struct prefix *addr)
{
	struct ifaddrmsg *header = message_begin(message, type, flags, sizeof(*header));
	header->ifa_family = addr->ip.family;
	header->ifa_prefixlen = addr->len;
	header->ifa_index = (uint32_t)ifindex;
	header->ifa_scope = RT_SCOPE_UNIVERSE;
}

static bool addr_put(union message *message, const struct prefix *addr)
{
	return put_ip(message, IFA_LOCAL, &addr->ip) && put_ip(message, IFA_ADDRESS, &addr->ip);
}

static bool broadcast_put(union message *message, const struct prefix *addr)
{
	if (addr->ip.family != AF_INET || addr->len >= 31)
		return true;
	const struct ip broadcast = prefix_last(addr);
	return put_ip(message, IFA_BROADCAST, &broadcast);
}

static bool lifetime_put(union message *message, struct addr_terms terms)
{
	const struct ifa_cacheinfo info = {.ifa_valid = terms.valid,
					   .ifa_prefered = terms.preferred};
	return !terms.valid || put(message, IFA_CACHEINFO, &info, sizeof(info));
}

bool encode_addr_add(union message *message, int ifindex, const struct prefix *addr,
		     struct addr_terms terms, uint16_t flags)
{
	addr_begin(message, RTM_NEWADDR, NLM_F_CREATE | flags, ifindex, addr);
	/* Without IFA_F_NODAD, duplicate address detection keeps the address tentative for a second
	 * or more; the file already decides which host has the address. */
	const uint32_t ifa_flags = addr->ip.family == AF_INET6 ? IFA_F_NODAD : 0;
	return addr_put(message, addr) && broadcast_put(message, addr) &&
	       put_u32(message, IFA_FLAGS, ifa_flags) &&
	       put_u8(message, IFA_PROTO, terms.protocol) && lifetime_put(message, terms) &&
	       (!terms.metric || put_u32(message, IFA_RT_PRIORITY, terms.metric));
}

bool encode_addr_delete(union message *message, int ifindex, const struct prefix *addr)
{
	addr_begin(message, RTM_DELADDR, 0, ifindex, addr);
	return addr_put(message, addr);
}

_Static_assert(POLICY_TABLE_ANSWERS <= UINT8_MAX, "table of a rule");

/* A higher number is in RTA_TABLE (rtm_get_table). */
static uint8_t table_number(uint32_t table)
{
	return table > UINT8_MAX ? RT_TABLE_COMPAT : table ? (uint8_t)table : RT_TABLE_MAIN;
}

static struct rtmsg *route_begin(union message *message, uint16_t type, uint16_t flags,
				 const struct link_route *route)
{
	struct rtmsg *header = message_begin(message, type, flags, sizeof(*header));
	header->rtm_family = route->to.ip.family;
	header->rtm_dst_len = route->to.len;
	header->rtm_table = table_number(route->table);
	return header;
}

static bool route_put(union message *message, int ifindex, const struct link_route *route)
{
	return (route->to.len == 0 || put_ip(message, RTA_DST, &route->to.ip)) &&
	       (!route->via.family || put_ip(message, RTA_GATEWAY, &route->via)) &&
	       (!route->options.source.family ||
		put_ip(message, RTA_PREFSRC, &route->options.source)) &&
	       (route->table <= UINT8_MAX || put_u32(message, RTA_TABLE, route->table)) &&
	       (route->options.type ||
		put_u32(message, RTA_OIF, (uint32_t)(route->device ? route->device : ifindex)));
}

static uint8_t route_type(const struct link_route *route)
{
	static const uint8_t types[] = {[ROUTE_UNICAST] = RTN_UNICAST,
					[ROUTE_BLACKHOLE] = RTN_BLACKHOLE,
					[ROUTE_UNREACHABLE] = RTN_UNREACHABLE,
					[ROUTE_PROHIBIT] = RTN_PROHIBIT,
					[ROUTE_THROW] = RTN_THROW};
	return types[route->options.type];
}

static uint8_t route_scope(const struct link_route *route)
{
	static const uint8_t scopes[] = {[SCOPE_GLOBAL] = RT_SCOPE_UNIVERSE,
					 [SCOPE_LINK] = RT_SCOPE_LINK,
					 [SCOPE_HOST] = RT_SCOPE_HOST};
	return scopes[route->options.scope ? route->options.scope
					   : route_scope_default(&route->to, &route->via)];
}

static bool metrics_put(union message *message, const struct route_options *options)
{
	if (!options->mtu && !options->advmss)
		return true;
	struct nlattr *metrics = nest(message, RTA_METRICS);
	if (!metrics || (options->mtu && !put_u32(message, RTAX_MTU, options->mtu)) ||
	    (options->advmss && !put_u32(message, RTAX_ADVMSS, options->advmss)))
		return false;
	return nest_end(message, metrics);
}

bool encode_route_add(union message *message, int ifindex, const struct link_route *route,
		      uint16_t flags)
{
	struct rtmsg *header = route_begin(message, RTM_NEWROUTE, NLM_F_CREATE | flags, route);
	header->rtm_type = route_type(route);
	header->rtm_protocol = route->protocol ? route->protocol : OWNER_TAG_PROTOCOL;
	header->rtm_scope = route->options.type ? RT_SCOPE_UNIVERSE : route_scope(route);
	header->rtm_flags = route->options.on_link ? RTNH_F_ONLINK : 0;
	return (!route->options.metric || put_u32(message, RTA_PRIORITY, route->options.metric)) &&
	       route_put(message, ifindex, route) && metrics_put(message, &route->options);
}

bool encode_route_delete(union message *message, int ifindex, const struct link_route *route,
			 uint8_t protocol, uint32_t metric)
{
	struct rtmsg *header = route_begin(message, RTM_DELROUTE, 0, route);
	header->rtm_protocol = protocol;
	header->rtm_scope = RT_SCOPE_NOWHERE; /* matches any */
	header->rtm_type = route->options.type ? route_type(route) : RTN_UNSPEC;
	return (!metric || put_u32(message, RTA_PRIORITY, metric)) &&
	       route_put(message, ifindex, route);
}

static bool rule_encode(union message *message, uint16_t type, uint16_t flags,
			const struct policy_rule *rule)
{
	struct fib_rule_hdr *header = message_begin(message, type, flags, sizeof(*header));
	header->family = rule->from.ip.family;
	header->src_len = rule->from.len;
	header->dst_len = rule->to.len;
	header->table = table_number(rule->table);
	header->action = FR_ACT_TO_TBL;
	return put_u32(message, FRA_PRIORITY, rule->priority) &&
	       (!rule->from.len || put_ip(message, FRA_SRC, &rule->from.ip)) &&
	       (!rule->to.len || put_ip(message, FRA_DST, &rule->to.ip)) &&
	       (rule->table <= UINT8_MAX || put_u32(message, FRA_TABLE, rule->table)) &&
	       (!rule->no_default || put_u32(message, FRA_SUPPRESS_PREFIXLEN, 0)) &&
	       put_u8(message, FRA_PROTOCOL, OWNER_TAG_PROTOCOL);
}

bool encode_rule_add(union message *message, const struct policy_rule *rule)
{
	return rule_encode(message, RTM_NEWRULE, NLM_F_CREATE | NLM_F_EXCL, rule);
}

bool encode_rule_delete(union message *message, const struct policy_rule *rule)
{
	return rule_encode(message, RTM_DELRULE, 0, rule);
}

static bool nsid_encode(union message *message, uint16_t type, int fd)
{
	message_begin(message, type, 0, sizeof(struct rtgenmsg));
	return put_u32(message, NETNSA_FD, (uint32_t)fd);
}

static bool neighbor_message(union message *message, uint16_t type, uint16_t flags, int ifindex,
			     uint8_t neighbor_flags, const struct ip *ip)
{
	struct ndmsg *header = message_begin(message, type, flags, sizeof(*header));
	header->ndm_family = ip->family;
	header->ndm_ifindex = ifindex;
	header->ndm_flags = neighbor_flags;
	return put_ip(message, NDA_DST, ip);
}

bool encode_neighbor_use(union message *message, int ifindex, const struct ip *ip)
{
	return neighbor_message(message, RTM_NEWNEIGH, NLM_F_CREATE, ifindex, NTF_USE, ip);
}

bool encode_neighbor_delete(union message *message, int ifindex, const struct ip *ip)
{
	return neighbor_message(message, RTM_DELNEIGH, 0, ifindex, 0, ip);
}

bool encode_neighbor_dump(union message *message)
{
	message_begin(message, RTM_GETNEIGH, NLM_F_DUMP, sizeof(struct ndmsg));
	return true;
}

bool encode_proxy_dump(union message *message)
{
	struct ndmsg *header = message_begin(message, RTM_GETNEIGH, NLM_F_DUMP, sizeof(*header));
	header->ndm_flags = NTF_PROXY;
	return true;
}

bool encode_fdb_dump(union message *message, int ifindex)
{
	struct ndmsg *entry = message_begin(message, RTM_GETNEIGH, NLM_F_DUMP, sizeof(*entry));
	entry->ndm_family = AF_BRIDGE;
	return put_u32(message, NDA_IFINDEX, (uint32_t)ifindex);
}

bool encode_nsid_get(union message *message, int fd)
{
	return nsid_encode(message, RTM_GETNSID, fd);
}

bool encode_netns_addr_dump(union message *message, int nsid)
{
	message_begin(message, RTM_GETADDR, NLM_F_DUMP, sizeof(struct ifaddrmsg));
	return put_u32(message, IFA_TARGET_NETNSID, (uint32_t)nsid);
}

bool encode_nsid_check(union message *message, int nsid)
{
	message_begin(message, RTM_GETNSID, 0, sizeof(struct rtgenmsg));
	return put_u32(message, NETNSA_NSID, (uint32_t)nsid);
}

bool encode_nsid_assign(union message *message, int fd)
{
	return nsid_encode(message, RTM_NEWNSID, fd) && put_u32(message, NETNSA_NSID, (uint32_t)-1);
}
