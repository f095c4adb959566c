#include "kernel/rtnl_encode.h"

#include "kernel/rtnl_attributes.h"
#include "lib/escape.h"

#include <arpa/inet.h>
#include <linux/fib_rules.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/neighbour.h>
#include <linux/net_namespace.h>
#include <linux/rtnetlink.h>
#include <string.h>

static void link_begin(union message *message, uint16_t type, uint16_t flags, int ifindex)
{
	struct ifinfomsg *link = message_begin(message, type, flags, sizeof(*link));
	link->ifi_family = AF_UNSPEC;
	link->ifi_index = ifindex;
}

bool encode_link_dump(union message *message)
{
	link_begin(message, RTM_GETLINK, NLM_F_DUMP, 0);
	return attr_put_u32(message, IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
}

bool encode_bridge_vlan_dump(union message *message)
{
	struct ifinfomsg *link = message_begin(message, RTM_GETLINK, NLM_F_DUMP, sizeof(*link));
	link->ifi_family = AF_BRIDGE;
	return attr_put_u32(message, IFLA_EXT_MASK, RTEXT_FILTER_BRVLAN_COMPRESSED);
}

bool encode_addr_dump(union message *message)
{
	message_begin(message, RTM_GETADDR, NLM_F_DUMP, sizeof(struct ifaddrmsg));
	return true;
}

bool encode_ipv4_addr_dump(union message *message)
{
	struct ifaddrmsg *header =
		message_begin(message, RTM_GETADDR, NLM_F_DUMP, sizeof(struct ifaddrmsg));
	header->ifa_family = AF_INET;
	return true;
}

bool encode_route_dump(union message *message)
{
	message_begin(message, RTM_GETROUTE, NLM_F_DUMP, sizeof(struct rtmsg));
	return attr_put_u32(message, RTA_TABLE, RT_TABLE_MAIN);
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
	return attr_put_u32(message, RTA_TABLE, table);
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
	return attr_put_u32(message, RTA_OIF, (uint32_t)ifindex);
}

bool encode_link_get(union message *message, int ifindex)
{
	link_begin(message, RTM_GETLINK, 0, ifindex);
	return attr_put_u32(message, IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
}

bool encode_link_find(union message *message, const char *name)
{
	link_begin(message, RTM_GETLINK, 0, 0);
	return attr_put_name(message, IFLA_IFNAME, name) &&
	       attr_put_u32(message, IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
}

/* One attribute of IFLA_INFO_DATA. */
static bool attribute_put(union message *message, const struct link_attribute *attribute,
			  const struct link_spec *spec)
{
	const uint32_t number = link_value_get(spec, attribute->value);
	return attribute->size == sizeof(number)
		       ? attr_put_u32(message, attribute->type, number)
		       : attr_put_u16(message, attribute->type, (uint16_t)number);
}

static bool info_put(union message *message, const struct link_spec *spec)
{
	struct nlattr *info = attr_nest_begin(message, IFLA_LINKINFO);
	if (!info || !attr_put_text(message, IFLA_INFO_KIND, link_kind_name(spec->kind)))
		return false;
	const struct link_attribute *at = link_type(spec->kind)->attributes;
	struct nlattr *data = at->type ? attr_nest_begin(message, IFLA_INFO_DATA) : NULL;
	if (at->type && !data)
		return false;
	for (; at->type; at++)
		if (link_value_given(spec, at->value) && !attribute_put(message, at, spec))
			return false;
	return (!data || attr_nest_end(message, data)) && attr_nest_end(message, info);
}

bool encode_link_create(union message *message, const struct link_spec *spec,
			const struct link_creation *creation)
{
	const bool mac = spec->mac.set && !link_kind_shares_mac(spec->kind);
	link_begin(message, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, creation->ifindex);
	return attr_put_name(message, IFLA_IFNAME, creation->name) &&
	       (!mac ||
		attr_put(message, IFLA_ADDRESS, spec->mac.bytes, sizeof(spec->mac.bytes))) &&
	       (!spec->mtu || attr_put_u32(message, IFLA_MTU, spec->mtu)) &&
	       (!spec->has_txqueuelen || attr_put_u32(message, IFLA_TXQLEN, spec->txqueuelen)) &&
	       (!creation->parent ||
		attr_put_u32(message, IFLA_LINK, (uint32_t)creation->parent)) &&
	       (!spec->vrf || attr_put_u32(message, IFLA_MASTER, (uint32_t)spec->vrf)) &&
	       (!creation->other_netns ||
		attr_put_u32(message, IFLA_LINK_NETNSID, (uint32_t)creation->nsid)) &&
	       info_put(message, spec);
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
	char bytes[ATTR_NAME_SIZE];
	if (strlen(alias) >= sizeof(bytes))
		return false;
	const size_t size = unescape(bytes, alias);
	return attr_put(message, IFLA_IFALIAS, bytes, size ? size : 1);
}

bool encode_link_alias(union message *message, int ifindex, const char *alias)
{
	link_begin(message, RTM_SETLINK, 0, ifindex);
	return alias && put_alias(message, alias);
}

static bool values_put(union message *message, const struct link_change *change)
{
	const struct link_type *type = link_type(change->spec->kind);
	struct nlattr *info = attr_nest_begin(message, IFLA_LINKINFO);
	if (!info || !attr_put_text(message, IFLA_INFO_KIND, type->name))
		return false;
	struct nlattr *data = attr_nest_begin(message, IFLA_INFO_DATA);
	size_t count = 0;
	for (const struct link_attribute *at = type->attributes; data && at->type; at++) {
		if (!(change->values & 1U << at->value))
			continue;
		if (!attribute_put(message, at, change->spec))
			return false;
		count++;
	}
	return count && attr_nest_end(message, data) && attr_nest_end(message, info);
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
	       (!change->txqueuelen ||
		attr_put_u32(message, IFLA_TXQLEN, change->spec->txqueuelen)) &&
	       (!change->mac ||
		attr_put(message, IFLA_ADDRESS, change->mac->bytes, sizeof(change->mac->bytes))) &&
	       (!change->mtu || attr_put_u32(message, IFLA_MTU, change->mtu)) &&
	       (!change->name || attr_put_name(message, IFLA_IFNAME, change->name)) &&
	       (!change->alias || put_alias(message, change->alias));
}

static bool altname_encode(union message *message, uint16_t type, uint16_t flags, int ifindex,
			   const char *name)
{
	link_begin(message, type, flags, ifindex);
	struct nlattr *list = attr_nest_begin(message, IFLA_PROP_LIST);
	return list && attr_put_name(message, IFLA_ALT_IFNAME, name) &&
	       attr_nest_end(message, list);
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
	return attr_put_u32(message, IFLA_NET_NS_FD, (uint32_t)fd) &&
	       attr_put_name(message, IFLA_IFNAME, name);
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
	return attr_put_ip(message, IFA_LOCAL, &addr->ip) &&
	       attr_put_ip(message, IFA_ADDRESS, &addr->ip);
}

static bool broadcast_put(union message *message, const struct prefix *addr)
{
	if (addr->ip.family != AF_INET || addr->len >= 31)
		return true;
	const struct ip broadcast = prefix_last(addr);
	return attr_put_ip(message, IFA_BROADCAST, &broadcast);
}

static bool lifetime_put(union message *message, struct addr_terms terms)
{
	const struct ifa_cacheinfo info = {.ifa_valid = terms.valid,
					   .ifa_prefered = terms.preferred};
	return !terms.valid || attr_put(message, IFA_CACHEINFO, &info, sizeof(info));
}

bool encode_addr_add(union message *message, int ifindex, const struct prefix *addr,
		     struct addr_terms terms, uint16_t flags)
{
	addr_begin(message, RTM_NEWADDR, NLM_F_CREATE | flags, ifindex, addr);
	/* Without IFA_F_NODAD, duplicate address detection keeps the address tentative for a second
	 * or more; the file already decides which host has the address. */
	const uint32_t ifa_flags = addr->ip.family == AF_INET6 ? IFA_F_NODAD : 0;
	return addr_put(message, addr) && broadcast_put(message, addr) &&
	       attr_put_u32(message, IFA_FLAGS, ifa_flags) &&
	       attr_put_u8(message, IFA_PROTO, terms.protocol) && lifetime_put(message, terms) &&
	       (!terms.metric || attr_put_u32(message, IFA_RT_PRIORITY, terms.metric));
}

bool encode_addr_delete(union message *message, int ifindex, const struct prefix *addr)
{
	addr_begin(message, RTM_DELADDR, 0, ifindex, addr);
	return addr_put(message, addr);
}

_Static_assert(POLICY_TABLE_ANSWERS <= UINT8_MAX, "table of a rule");

static bool nsid_encode(union message *message, uint16_t type, int fd)
{
	message_begin(message, type, 0, sizeof(struct rtgenmsg));
	return attr_put_u32(message, NETNSA_FD, (uint32_t)fd);
}

static bool neighbor_message(union message *message, uint16_t type, uint16_t flags, int ifindex,
			     uint8_t neighbor_flags, const struct ip *ip)
{
	struct ndmsg *header = message_begin(message, type, flags, sizeof(*header));
	header->ndm_family = ip->family;
	header->ndm_ifindex = ifindex;
	header->ndm_flags = neighbor_flags;
	return attr_put_ip(message, NDA_DST, ip);
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
	return attr_put_u32(message, NDA_IFINDEX, (uint32_t)ifindex);
}

bool encode_nsid_get(union message *message, int fd)
{
	return nsid_encode(message, RTM_GETNSID, fd);
}

bool encode_nsid_check(union message *message, int nsid)
{
	message_begin(message, RTM_GETNSID, 0, sizeof(struct rtgenmsg));
	return attr_put_u32(message, NETNSA_NSID, (uint32_t)nsid);
}

bool encode_nsid_assign(union message *message, int fd)
{
	return nsid_encode(message, RTM_NEWNSID, fd) &&
	       attr_put_u32(message, NETNSA_NSID, (uint32_t)-1);
}
