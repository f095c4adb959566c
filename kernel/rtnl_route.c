/* Routes and rules as rtnetlink messages, both ways. */
#include "kernel/rtnl_attributes.h"
#include "kernel/rtnl_decode.h"
#include "kernel/rtnl_encode.h"

#include <linux/fib_rules.h>
#include <linux/rtnetlink.h>
#include <string.h>

static const uint8_t route_types[] = {[ROUTE_UNICAST] = RTN_UNICAST,
				      [ROUTE_BLACKHOLE] = RTN_BLACKHOLE,
				      [ROUTE_UNREACHABLE] = RTN_UNREACHABLE,
				      [ROUTE_PROHIBIT] = RTN_PROHIBIT,
				      [ROUTE_THROW] = RTN_THROW};

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
	return attr_get(at[RTA_OIF], &route->ifindex, sizeof(route->ifindex)) &&
	       attr_get_ip(at[RTA_GATEWAY], family, &route->via) &&
	       via_get(at[RTA_VIA], &route->via);
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
	for (size_t i = 0; i < COUNT(route_types); i++)
		if (route_types[i] == header->rtm_type) {
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
	return !attr || (attrs_parse_nested(attr, at, COUNT(at)) &&
			 attr_get(at[RTAX_MTU], &options->mtu, sizeof(options->mtu)) &&
			 attr_get(at[RTAX_ADVMSS], &options->advmss, sizeof(options->advmss)));
}

enum decoded decode_route(const struct nlmsghdr *message, size_t hop, struct live_route *ret)
{
	const struct nlattr *at[RTA_MAX + 1];
	const struct rtmsg *header =
		message_parse(message, RTM_NEWROUTE, sizeof(*header), at, COUNT(at));
	if (!header)
		return DECODE_BAD;
	uint32_t table = header->rtm_table;
	if (!attr_get(at[RTA_TABLE], &table, sizeof(table)))
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
	if (!attr_get_ip(at[RTA_DST], family, &route.to.ip) ||
	    !attr_get_ip(at[RTA_PREFSRC], family, &route.options.source) ||
	    !attr_get(at[RTA_PRIORITY], &route.options.metric, sizeof(route.options.metric)) ||
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
	if (!attr_get_ip(at[FRA_SRC], header->family, &rule.rule.from.ip) ||
	    !attr_get_ip(at[FRA_DST], header->family, &rule.rule.to.ip) ||
	    header->dst_len > ip_bits(&rule.rule.to.ip) ||
	    !attr_get(at[FRA_PRIORITY], &rule.rule.priority, sizeof(rule.rule.priority)) ||
	    !attr_get(at[FRA_TABLE], &rule.rule.table, sizeof(rule.rule.table)) ||
	    !attr_get(at[FRA_SUPPRESS_PREFIXLEN], &suppress, sizeof(suppress)) ||
	    !attr_get(at[FRA_PROTOCOL], &rule.proto, sizeof(rule.proto)) ||
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
	return (route->to.len == 0 || attr_put_ip(message, RTA_DST, &route->to.ip)) &&
	       (!route->via.family || attr_put_ip(message, RTA_GATEWAY, &route->via)) &&
	       (!route->options.source.family ||
		attr_put_ip(message, RTA_PREFSRC, &route->options.source)) &&
	       (route->table <= UINT8_MAX || attr_put_u32(message, RTA_TABLE, route->table)) &&
	       (route->options.type ||
		attr_put_u32(message, RTA_OIF,
			     (uint32_t)(route->device ? route->device : ifindex)));
}

static uint8_t route_type(const struct link_route *route)
{
	return route_types[route->options.type];
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
	struct nlattr *metrics = attr_nest_begin(message, RTA_METRICS);
	if (!metrics || (options->mtu && !attr_put_u32(message, RTAX_MTU, options->mtu)) ||
	    (options->advmss && !attr_put_u32(message, RTAX_ADVMSS, options->advmss)))
		return false;
	return attr_nest_end(message, metrics);
}

bool encode_route_add(union message *message, int ifindex, const struct link_route *route,
		      uint16_t flags)
{
	struct rtmsg *header = route_begin(message, RTM_NEWROUTE, NLM_F_CREATE | flags, route);
	header->rtm_type = route_type(route);
	header->rtm_protocol = route->protocol ? route->protocol : OWNER_TAG_PROTOCOL;
	header->rtm_scope = route->options.type ? RT_SCOPE_UNIVERSE : route_scope(route);
	header->rtm_flags = route->options.on_link ? RTNH_F_ONLINK : 0;
	return (!route->options.metric ||
		attr_put_u32(message, RTA_PRIORITY, route->options.metric)) &&
	       route_put(message, ifindex, route) && metrics_put(message, &route->options);
}

bool encode_route_delete(union message *message, int ifindex, const struct link_route *route,
			 uint8_t protocol, uint32_t metric)
{
	struct rtmsg *header = route_begin(message, RTM_DELROUTE, 0, route);
	header->rtm_protocol = protocol;
	header->rtm_scope = RT_SCOPE_NOWHERE; /* matches any */
	header->rtm_type = route->options.type ? route_type(route) : RTN_UNSPEC;
	return (!metric || attr_put_u32(message, RTA_PRIORITY, metric)) &&
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
	return attr_put_u32(message, FRA_PRIORITY, rule->priority) &&
	       (!rule->from.len || attr_put_ip(message, FRA_SRC, &rule->from.ip)) &&
	       (!rule->to.len || attr_put_ip(message, FRA_DST, &rule->to.ip)) &&
	       (rule->table <= UINT8_MAX || attr_put_u32(message, FRA_TABLE, rule->table)) &&
	       (!rule->no_default || attr_put_u32(message, FRA_SUPPRESS_PREFIXLEN, 0)) &&
	       attr_put_u8(message, FRA_PROTOCOL, OWNER_TAG_PROTOCOL);
}

bool encode_rule_add(union message *message, const struct policy_rule *rule)
{
	return rule_encode(message, RTM_NEWRULE, NLM_F_CREATE | NLM_F_EXCL, rule);
}

bool encode_rule_delete(union message *message, const struct policy_rule *rule)
{
	return rule_encode(message, RTM_DELRULE, 0, rule);
}
