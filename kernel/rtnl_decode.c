#include "kernel/rtnl_decode.h"

#include "kernel/link_kind.h"
#include "lib/escape.h"

#include <arpa/inet.h>
#include <linux/fib_rules.h>
#include <linux/if_addr.h>
#include <linux/if_bridge.h>
#include <linux/if_link.h>
#include <linux/ipv6.h>
#include <linux/net_namespace.h>
#include <linux/rtnetlink.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* One nesting level of attributes: table[type] points to the attribute, or is NULL. */
static bool attrs_parse(const void *bytes, size_t size, const struct nlattr *table[], size_t n)
{
	const struct nlattr *attr = bytes;
	int left = (int)size;
	memset(table, 0, n * sizeof(*table));
	while (mnl_attr_ok(attr, left)) {
		if (mnl_attr_get_type(attr) < n)
			table[mnl_attr_get_type(attr)] = attr;
		left -= MNL_ALIGN(attr->nla_len);
		attr = mnl_attr_next(attr);
	}
	return left <= 0;
}

static bool nested_parse(const struct nlattr *attr, const struct nlattr *table[], size_t n)
{
	return attrs_parse(mnl_attr_get_payload(attr), mnl_attr_get_payload_len(attr), table, n);
}

/* The message's fixed header, or NULL; its attributes are put into the table. */
static const void *message_parse(const struct nlmsghdr *message, uint16_t type, size_t header,
				 const struct nlattr *table[], size_t n)
{
	if (message->nlmsg_type != type || message->nlmsg_len < MNL_NLMSG_HDRLEN + header)
		return NULL;
	const char *payload = mnl_nlmsg_get_payload(message);
	size_t size = mnl_nlmsg_get_payload_len(message), skip = MNL_ALIGN(header);
	if (skip > size)
		skip = size;
	return attrs_parse(payload + skip, size - skip, table, n) ? payload : NULL;
}

/* Copies an attribute of exactly this size; if the attribute is absent, *ret is unchanged. */
static bool fixed_get(const struct nlattr *attr, void *ret, size_t size)
{
	if (!attr)
		return true;
	if (mnl_attr_get_payload_len(attr) != size)
		return false;
	memcpy(ret, mnl_attr_get_payload(attr), size);
	return true;
}

static const char *text_get(struct arena *arena, const struct nlattr *attr)
{
	if (!attr)
		return "";
	const char *text = mnl_attr_get_payload(attr);
	return arena_strndup(arena, text, strnlen(text, mnl_attr_get_payload_len(attr)));
}

static bool ip_get(const struct nlattr *attr, uint8_t family, struct ip *ret)
{
	if (!attr)
		return true;
	struct ip ip = {.family = family};
	size_t size = family == AF_INET ? 4 : 16;
	if (!fixed_get(attr, ip.bytes, size))
		return false;
	*ret = ip;
	return true;
}

/* A number of 2 or 4 bytes. */
static bool number_get(const struct nlattr *attr, uint16_t size, uint32_t *ret)
{
	uint16_t small = 0;
	if (size == sizeof(*ret))
		return fixed_get(attr, ret, size);
	if (!fixed_get(attr, &small, sizeof(small)))
		return false;
	*ret = small;
	return true;
}

/* IFLA_INFO_DATA, decoded by the kind's row. */
static bool data_decode(const struct nlattr *data, struct live_link *link)
{
	const struct nlattr *at[LINK_ATTRIBUTE_TYPES] = {NULL};
	if (!nested_parse(data, at, COUNT(at)))
		return false;
	for (const struct link_attribute *row = link_type(link->kind)->attributes; row->type;
	     row++) {
		uint32_t number = 0;
		if (at[row->type] && (!number_get(at[row->type], row->size, &number) ||
				      !link_value_set(link, row->value, number)))
			return false;
	}
	return true;
}

static bool bridge_decode(const struct nlattr *data, struct live_link *link)
{
	const struct nlattr *at[IFLA_BR_VLAN_FILTERING + 1];
	uint8_t filtering = 0;
	if (!data)
		return true;
	if (!nested_parse(data, at, COUNT(at)) ||
	    !fixed_get(at[IFLA_BR_VLAN_FILTERING], &filtering, sizeof(filtering)))
		return false;
	link->vlan_filtering = filtering;
	return true;
}

static bool vrf_decode(const struct nlattr *data, struct live_link *link)
{
	const struct nlattr *at[IFLA_VRF_MAX + 1];
	return !data || (nested_parse(data, at, COUNT(at)) &&
			 fixed_get(at[IFLA_VRF_TABLE], &link->vrf_table, sizeof(link->vrf_table)));
}

static bool info_decode(struct arena *arena, const struct nlattr *info, struct live_link *link)
{
	const struct nlattr *at[IFLA_INFO_MAX + 1];
	if (!info)
		return true;
	if (!nested_parse(info, at, COUNT(at)))
		return false;
	link->kind_name = text_get(arena, at[IFLA_INFO_KIND]);
	link->kind = link_kind_find(link->kind_name);
	if (strcmp(link->kind_name, "bridge") == 0)
		return bridge_decode(at[IFLA_INFO_DATA], link);
	if (strcmp(link->kind_name, "vrf") == 0)
		return vrf_decode(at[IFLA_INFO_DATA], link);
	if (!link_type(link->kind)->attributes[0].type || !at[IFLA_INFO_DATA])
		return true;
	return data_decode(at[IFLA_INFO_DATA], link);
}

/* A link's name or alias. Whoever controls a namespace chooses it, and it may contain terminal
 * escapes. rtnl_encode.c and sysctl.c convert it back to bytes for the kernel. */
static const char *printable_get(struct arena *arena, const struct nlattr *attr)
{
	if (!attr)
		return "";
	const char *bytes = mnl_attr_get_payload(attr);
	return escape(arena, bytes, strnlen(bytes, mnl_attr_get_payload_len(attr)));
}

static bool altnames_decode(struct arena *arena, const struct nlattr *list, struct live_link *link)
{
	if (!list)
		return true;
	const struct nlattr *attr = mnl_attr_get_payload(list);
	int left = mnl_attr_get_payload_len(list);
	for (; mnl_attr_ok(attr, left);
	     left -= MNL_ALIGN(attr->nla_len), attr = mnl_attr_next(attr))
		if (mnl_attr_get_type(attr) == IFLA_ALT_IFNAME)
			*array_push(arena, link->altnames, link->n_altnames) =
				printable_get(arena, attr);
	return left <= 0;
}

static void conf_take(struct arena *arena, const struct nlattr *conf, size_t number,
		      const char *key, struct live_link *link)
{
	int32_t value;
	if (!conf || mnl_attr_get_payload_len(conf) < (number + 1) * sizeof(value))
		return;
	memcpy(&value, (const char *)mnl_attr_get_payload(conf) + number * sizeof(value),
	       sizeof(value));
	*array_push(arena, link->sysctls, link->n_sysctls) = (struct live_sysctl){
		.key = key, .value = value == 0 ? "0" : arena_printf(arena, "%d", value)};
}

/* The kernel reports all IPv6 settings of a link here, which saves opening files of /proc/sys. */
static bool ipv6_decode(struct arena *arena, const struct nlattr *af_spec, struct live_link *link)
{
	const struct nlattr *families[AF_INET6 + 1], *at[IFLA_INET6_MAX + 1];
	if (!af_spec)
		return true;
	if (!nested_parse(af_spec, families, COUNT(families)))
		return false;
	if (!families[AF_INET6])
		return true;
	if (!nested_parse(families[AF_INET6], at, COUNT(at)))
		return false;
	const struct nlattr *conf = at[IFLA_INET6_CONF];
	conf_take(arena, conf, DEVCONF_ACCEPT_RA, ACCEPT_RA_KEY, link);
	conf_take(arena, conf, DEVCONF_ACCEPT_RA_DEFRTR, ACCEPT_RA_DEFRTR_KEY, link);
	conf_take(arena, conf, DEVCONF_DISABLE_IPV6, DISABLE_IPV6_KEY, link);
	return true;
}

static struct owner_tag owner_tag_get(struct arena *arena, const struct nlattr *alias)
{
	char text[ALIAS_LENGTH_MAX + 1] = "";
	size_t size = alias ? mnl_attr_get_payload_len(alias) : 0;
	size_t length = size ? strnlen(mnl_attr_get_payload(alias), size) : 0;
	if (length && length < sizeof(text))
		memcpy(text, mnl_attr_get_payload(alias), length);
	return owner_tag_parse(arena, text);
}

enum decoded decode_link(struct arena *arena, const struct nlmsghdr *message, struct live_link *ret,
			 struct parent_ref *ret_parent)
{
	const struct nlattr *at[IFLA_MAX + 1];
	const struct ifinfomsg *header =
		message_parse(message, RTM_NEWLINK, sizeof(*header), at, COUNT(at));
	if (!header || !at[IFLA_IFNAME])
		return DECODE_BAD;

	struct live_link link = {.ifindex = header->ifi_index,
				 .type = header->ifi_type,
				 .flags = header->ifi_flags,
				 .bclim = BCLIM_DEFAULT,
				 .name = printable_get(arena, at[IFLA_IFNAME]),
				 .alias = printable_get(arena, at[IFLA_IFALIAS]),
				 .device_bus = text_get(arena, at[IFLA_PARENT_DEV_BUS_NAME]),
				 .device = text_get(arena, at[IFLA_PARENT_DEV_NAME]),
				 .kind_name = ""};
	struct parent_ref parent = {.other_netns = at[IFLA_LINK_NETNSID] != NULL};
	if (!fixed_get(at[IFLA_MTU], &link.mtu, sizeof(link.mtu)) ||
	    !fixed_get(at[IFLA_MAX_MTU], &link.max_mtu, sizeof(link.max_mtu)) ||
	    !fixed_get(at[IFLA_TXQLEN], &link.txqueuelen, sizeof(link.txqueuelen)) ||
	    !fixed_get(at[IFLA_MASTER], &link.master, sizeof(link.master)) ||
	    !fixed_get(at[IFLA_LINK], &link.parent, sizeof(link.parent)) ||
	    !fixed_get(at[IFLA_LINK_NETNSID], &parent.nsid, sizeof(parent.nsid)) ||
	    !info_decode(arena, at[IFLA_LINKINFO], &link) ||
	    !altnames_decode(arena, at[IFLA_PROP_LIST], &link) ||
	    !ipv6_decode(arena, at[IFLA_AF_SPEC], &link))
		return DECODE_BAD;
	/* Tunnels have link-layer addresses of other lengths. */
	link.mac.set = fixed_get(at[IFLA_ADDRESS], link.mac.bytes, sizeof(link.mac.bytes)) &&
		       at[IFLA_ADDRESS];
	link.tag = owner_tag_get(arena, at[IFLA_IFALIAS]);
	*ret = link;
	*ret_parent = parent;
	return DECODED;
}

/* A range is two entries: its begin and its end. */
static bool bridge_vlan_take(struct arena *arena, const struct nlattr *attr, struct live_link *link)
{
	struct bridge_vlan_info info = {0};
	if (mnl_attr_get_type(attr) != IFLA_BRIDGE_VLAN_INFO)
		return true;
	if (!fixed_get(attr, &info, sizeof(info)))
		return false;
	if (info.flags & BRIDGE_VLAN_INFO_RANGE_END && link->n_bridge_vlans) {
		link->bridge_vlans[link->n_bridge_vlans - 1].last = info.vid;
		return true;
	}
	*array_push(arena, link->bridge_vlans, link->n_bridge_vlans) =
		(struct bridge_vlans){.first = info.vid,
				      .last = info.vid,
				      .pvid = info.flags & BRIDGE_VLAN_INFO_PVID,
				      .untagged = info.flags & BRIDGE_VLAN_INFO_UNTAGGED};
	return true;
}

enum decoded decode_bridge_vlans(struct arena *arena, const struct nlmsghdr *message,
				 struct live_link *ret)
{
	const struct nlattr *at[IFLA_MAX + 1], *attr;
	struct live_link link = {0};
	const struct ifinfomsg *header =
		message_parse(message, RTM_NEWLINK, sizeof(*header), at, COUNT(at));
	if (!header)
		return DECODE_BAD;
	if (header->ifi_family != AF_BRIDGE || !at[IFLA_AF_SPEC])
		return DECODE_SKIP;
	link.ifindex = header->ifi_index;
	attr = mnl_attr_get_payload(at[IFLA_AF_SPEC]);
	int left = mnl_attr_get_payload_len(at[IFLA_AF_SPEC]);
	for (; mnl_attr_ok(attr, left);
	     left -= MNL_ALIGN(attr->nla_len), attr = mnl_attr_next(attr))
		if (!bridge_vlan_take(arena, attr, &link))
			return DECODE_BAD;
	*ret = link;
	return left <= 0 ? DECODED : DECODE_BAD;
}

/* The highest number means "forever", in flags and times alike. */
static bool lifetime_get(const struct nlattr *attr, struct live_addr *addr)
{
	struct ifa_cacheinfo info = {.ifa_valid = UINT32_MAX};
	if (!fixed_get(attr, &info, sizeof(info)))
		return false;
	addr->created = info.cstamp;
	if (info.ifa_valid == UINT32_MAX)
		return true;
	addr->valid = info.ifa_valid ? info.ifa_valid : 1;
	addr->preferred = info.ifa_prefered;
	return true;
}

enum decoded decode_addr(const struct nlmsghdr *message, struct live_addr *ret, bool *has_proto)
{
	const struct nlattr *at[IFA_MAX + 1];
	const struct ifaddrmsg *header =
		message_parse(message, RTM_NEWADDR, sizeof(*header), at, COUNT(at));
	if (!header)
		return DECODE_BAD;
	if (header->ifa_family != AF_INET && header->ifa_family != AF_INET6)
		return DECODE_SKIP;

	struct live_addr addr = {.ifindex = (int)header->ifa_index,
				 .scope = header->ifa_scope,
				 .flags = header->ifa_flags};
	/* With IFA_LOCAL, IFA_ADDRESS is the peer's address. */
	const struct nlattr *local = at[IFA_LOCAL] ? at[IFA_LOCAL] : at[IFA_ADDRESS];
	if (!local || !ip_get(local, header->ifa_family, &addr.prefix.ip) ||
	    !fixed_get(at[IFA_FLAGS], &addr.flags, sizeof(addr.flags)) ||
	    !fixed_get(at[IFA_PROTO], &addr.proto, sizeof(addr.proto)) ||
	    !fixed_get(at[IFA_RT_PRIORITY], &addr.metric, sizeof(addr.metric)) ||
	    !lifetime_get(at[IFA_CACHEINFO], &addr) ||
	    header->ifa_prefixlen > ip_bits(&addr.prefix.ip))
		return DECODE_BAD;
	addr.prefix.len = header->ifa_prefixlen;
	if (at[IFA_PROTO])
		*has_proto = true;
	*ret = addr;
	return DECODED;
}

/* RTA_VIA: a next hop of another family than the route's. */
static bool via_get(const struct nlattr *attr, struct ip *ret)
{
	if (!attr)
		return true;
	struct rtvia via;
	size_t size = mnl_attr_get_payload_len(attr);
	if (size < sizeof(via))
		return false;
	memcpy(&via, mnl_attr_get_payload(attr), sizeof(via));
	struct ip ip = {.family = (uint8_t)via.rtvia_family};
	if ((via.rtvia_family != AF_INET && via.rtvia_family != AF_INET6) ||
	    size - sizeof(via) != ip_bits(&ip) / 8)
		return false;
	memcpy(ip.bytes, (const char *)mnl_attr_get_payload(attr) + sizeof(via),
	       size - sizeof(via));
	*ret = ip;
	return true;
}

static bool nexthop_get(const struct nlattr *const at[], uint8_t family, struct live_route *route)
{
	return fixed_get(at[RTA_OIF], &route->ifindex, sizeof(route->ifindex)) &&
	       ip_get(at[RTA_GATEWAY], family, &route->via) && via_get(at[RTA_VIA], &route->via);
}

/* The next hop of that number in a list of struct rtnexthop. DECODE_SKIP: there are fewer. */
static enum decoded multipath_get(const struct nlattr *attr, uint8_t family, size_t number,
				  struct live_route *route)
{
	const struct nlattr *at[RTA_MAX + 1];
	struct rtnexthop hop = {0};
	const char *bytes = mnl_attr_get_payload(attr);
	size_t left = mnl_attr_get_payload_len(attr);
	for (size_t i = 0, size = 0; i <= number; i++) {
		if (number && size >= left)
			return DECODE_SKIP;
		bytes += size;
		left -= size;
		if (left < sizeof(hop))
			return DECODE_BAD;
		memcpy(&hop, bytes, sizeof(hop));
		if (hop.rtnh_len < sizeof(hop) || hop.rtnh_len > left)
			return DECODE_BAD;
		size = RTNH_ALIGN(hop.rtnh_len);
	}
	route->ifindex = hop.rtnh_ifindex;
	return attrs_parse(bytes + sizeof(hop), hop.rtnh_len - sizeof(hop), at, COUNT(at)) &&
			       nexthop_get(at, family, route)
		       ? DECODED
		       : DECODE_BAD;
}

/* False: a type of route that a file cannot have. */
static bool route_type_get(const struct rtmsg *header, enum route_type *ret)
{
	static const uint8_t types[] = {[ROUTE_UNICAST] = RTN_UNICAST,
					[ROUTE_BLACKHOLE] = RTN_BLACKHOLE,
					[ROUTE_UNREACHABLE] = RTN_UNREACHABLE,
					[ROUTE_PROHIBIT] = RTN_PROHIBIT,
					[ROUTE_THROW] = RTN_THROW};
	for (size_t i = 0; i < COUNT(types); i++)
		if (types[i] == header->rtm_type) {
			*ret = (enum route_type)i;
			return true;
		}
	return false;
}

/* Before 5.19 the kernel lists its own IPv6 route that no packet takes (ip6_null_entry). */
static bool route_is_relevant(const struct rtmsg *header, enum route_type type)
{
	return (header->rtm_family == AF_INET || header->rtm_family == AF_INET6) &&
	       !(header->rtm_flags & RTM_F_CLONED) &&
	       (type == ROUTE_UNICAST || header->rtm_protocol != RTPROT_KERNEL);
}

static enum route_scope scope_of(const struct rtmsg *header)
{
	if (header->rtm_family != AF_INET || header->rtm_scope < RT_SCOPE_LINK)
		return SCOPE_GLOBAL;
	return header->rtm_scope == RT_SCOPE_LINK ? SCOPE_LINK : SCOPE_HOST;
}

static bool metrics_get(const struct nlattr *attr, struct route_options *options)
{
	const struct nlattr *at[RTAX_MAX + 1];
	return !attr || (nested_parse(attr, at, COUNT(at)) &&
			 fixed_get(at[RTAX_MTU], &options->mtu, sizeof(options->mtu)) &&
			 fixed_get(at[RTAX_ADVMSS], &options->advmss, sizeof(options->advmss)));
}

enum decoded decode_route(const struct nlmsghdr *message, size_t hop, struct live_route *ret)
{
	const struct nlattr *at[RTA_MAX + 1];
	const struct rtmsg *header =
		message_parse(message, RTM_NEWROUTE, sizeof(*header), at, COUNT(at));
	if (!header)
		return DECODE_BAD;
	uint32_t table = header->rtm_table;
	if (!fixed_get(at[RTA_TABLE], &table, sizeof(table)))
		return DECODE_BAD;
	enum route_type type;
	if (!route_type_get(header, &type) || !route_is_relevant(header, type))
		return DECODE_SKIP;

	const uint8_t family = header->rtm_family;
	struct live_route route = {.table = table == RT_TABLE_MAIN ? 0 : table,
				   .to = {.ip = {.family = family}},
				   .proto = header->rtm_protocol,
				   .options = {.type = type,
					       .scope = scope_of(header),
					       .on_link = header->rtm_flags & RTNH_F_ONLINK}};
	if (!ip_get(at[RTA_DST], family, &route.to.ip) ||
	    !ip_get(at[RTA_PREFSRC], family, &route.options.source) ||
	    !fixed_get(at[RTA_PRIORITY], &route.options.metric, sizeof(route.options.metric)) ||
	    !metrics_get(at[RTA_METRICS], &route.options) || !nexthop_get(at, family, &route) ||
	    header->rtm_dst_len > ip_bits(&route.to.ip))
		return DECODE_BAD;
	route.to.len = header->rtm_dst_len;
	if (type != ROUTE_UNICAST)
		route.ifindex = 0; /* of IPv6 it is the loopback link's */
	const enum decoded decoded = at[RTA_MULTIPATH]
					     ? multipath_get(at[RTA_MULTIPATH], family, hop, &route)
				     : hop ? DECODE_SKIP
					   : DECODED;
	if (decoded == DECODED)
		*ret = route;
	return decoded;
}

/* Attributes that every rule has, or that do not limit it. */
static bool rule_attr_known(uint16_t type)
{
	switch (type) {
	case FRA_UNSPEC:
	case FRA_SRC:
	case FRA_DST:
	case FRA_PRIORITY:
	case FRA_TABLE:
	case FRA_SUPPRESS_PREFIXLEN:
	case FRA_PROTOCOL:
	case FRA_PAD:
		return true;
	}
	return false;
}

static bool rule_is_other(const struct fib_rule_hdr *header, const struct nlattr *const at[],
			  size_t count)
{
	for (size_t type = 0; type < count; type++)
		if (at[type] && !rule_attr_known((uint16_t)type))
			return true;
	return header->action != FR_ACT_TO_TBL || header->tos || header->flags & FIB_RULE_INVERT;
}

enum decoded decode_rule(const struct nlmsghdr *message, struct live_rule *ret)
{
	const struct nlattr *at[FRA_MAX + 1];
	const struct fib_rule_hdr *header =
		message_parse(message, RTM_NEWRULE, sizeof(*header), at, COUNT(at));
	uint32_t suppress = UINT32_MAX;
	if (!header)
		return DECODE_BAD;
	if (header->family != AF_INET && header->family != AF_INET6)
		return DECODE_SKIP;
	struct live_rule rule = {.rule = {.from = {.ip = {.family = header->family}},
					  .to = {.ip = {.family = header->family}},
					  .table = header->table},
				 .other = rule_is_other(header, at, COUNT(at))};
	if (!ip_get(at[FRA_SRC], header->family, &rule.rule.from.ip) ||
	    !ip_get(at[FRA_DST], header->family, &rule.rule.to.ip) ||
	    header->dst_len > ip_bits(&rule.rule.to.ip) ||
	    !fixed_get(at[FRA_PRIORITY], &rule.rule.priority, sizeof(rule.rule.priority)) ||
	    !fixed_get(at[FRA_TABLE], &rule.rule.table, sizeof(rule.rule.table)) ||
	    !fixed_get(at[FRA_SUPPRESS_PREFIXLEN], &suppress, sizeof(suppress)) ||
	    !fixed_get(at[FRA_PROTOCOL], &rule.proto, sizeof(rule.proto)) ||
	    header->src_len > ip_bits(&rule.rule.from.ip))
		return DECODE_BAD;
	if (rule.rule.table == RT_TABLE_MAIN)
		rule.rule.table = 0;
	rule.rule.from.len = header->src_len;
	rule.rule.to.len = header->dst_len;
	rule.rule.no_default = suppress == 0;
	rule.other |= suppress != 0 && suppress != UINT32_MAX;
	*ret = rule;
	return DECODED;
}

enum decoded decode_fdb(const struct nlmsghdr *message, int *ret_ifindex, struct mac *ret_mac)
{
	const struct nlattr *at[NDA_MAX + 1];
	const struct ndmsg *header =
		message_parse(message, RTM_NEWNEIGH, sizeof(*header), at, COUNT(at));
	if (!header)
		return DECODE_BAD;
	if (header->ndm_family != AF_BRIDGE || !at[NDA_LLADDR])
		return DECODE_SKIP;
	*ret_ifindex = header->ndm_ifindex;
	ret_mac->set = true;
	return fixed_get(at[NDA_LLADDR], ret_mac->bytes, sizeof(ret_mac->bytes)) ? DECODED
										 : DECODE_BAD;
}

enum decoded decode_neighbor(const struct nlmsghdr *message, struct live_neighbor *ret)
{
	const struct nlattr *at[NDA_MAX + 1];
	const struct ndmsg *header =
		message_parse(message, RTM_NEWNEIGH, sizeof(*header), at, COUNT(at));
	if (!header)
		return DECODE_BAD;
	const uint8_t family = header->ndm_family;
	if ((family != AF_INET && family != AF_INET6) || header->ndm_state & NUD_PERMANENT ||
	    !at[NDA_DST] || !at[NDA_LLADDR])
		return DECODE_SKIP;
	struct live_neighbor neighbor = {
		.ifindex = header->ndm_ifindex, .ip.family = family, .mac.set = true};
	/* A tunnel's entry has an address of another size. */
	if (mnl_attr_get_payload_len(at[NDA_LLADDR]) != sizeof(neighbor.mac.bytes))
		return DECODE_SKIP;
	if (!ip_get(at[NDA_DST], family, &neighbor.ip) ||
	    !fixed_get(at[NDA_LLADDR], neighbor.mac.bytes, sizeof(neighbor.mac.bytes)))
		return DECODE_BAD;
	*ret = neighbor;
	return DECODED;
}

enum decoded decode_nsid(const struct nlmsghdr *message, int *ret)
{
	const struct nlattr *at[NETNSA_MAX + 1];
	const struct rtgenmsg *header =
		message_parse(message, RTM_NEWNSID, sizeof(*header), at, COUNT(at));
	if (!header || !at[NETNSA_NSID] || !fixed_get(at[NETNSA_NSID], ret, sizeof(*ret)))
		return DECODE_BAD;
	return DECODED;
}
