#include "kernel/rtnl_decode.h"

#include "kernel/link_kind.h"
#include "kernel/rtnl_attributes.h"
#include "lib/escape.h"

#include <arpa/inet.h>
#include <linux/if_addr.h>
#include <linux/if_arp.h>
#include <linux/if_bridge.h>
#include <linux/if_link.h>
#include <linux/ipv6.h>
#include <linux/net_namespace.h>
#include <linux/rtnetlink.h>
#include <string.h>

/* A number of 2 or 4 bytes. */
static bool number_get(const struct nlattr *attr, uint16_t size, uint32_t *ret)
{
	uint16_t small = 0;
	if (size == sizeof(*ret))
		return attr_get(attr, ret, size);
	if (!attr_get(attr, &small, sizeof(small)))
		return false;
	*ret = small;
	return true;
}

/* IFLA_INFO_DATA, decoded by the kind's row. */
static bool data_decode(const struct nlattr *data, struct live_link *link)
{
	const struct nlattr *at[LINK_ATTRIBUTE_TYPES] = {NULL};
	if (!attrs_parse_nested(data, at, COUNT(at)))
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
	if (!attrs_parse_nested(data, at, COUNT(at)) ||
	    !attr_get(at[IFLA_BR_VLAN_FILTERING], &filtering, sizeof(filtering)))
		return false;
	link->vlan_filtering = filtering;
	return true;
}

static bool vrf_decode(const struct nlattr *data, struct live_link *link)
{
	const struct nlattr *at[IFLA_VRF_MAX + 1];
	return !data || (attrs_parse_nested(data, at, COUNT(at)) &&
			 attr_get(at[IFLA_VRF_TABLE], &link->vrf_table, sizeof(link->vrf_table)));
}

static bool info_decode(struct arena *arena, const struct nlattr *info, struct live_link *link)
{
	const struct nlattr *at[IFLA_INFO_MAX + 1];
	if (!info)
		return true;
	if (!attrs_parse_nested(info, at, COUNT(at)))
		return false;
	link->kind_name = attr_get_text(arena, at[IFLA_INFO_KIND]);
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

/* The values of most settings need no memory. */
static const char *conf_text(struct arena *arena, int32_t value)
{
	static const char *const usual[] = {"0", "1", "2"};
	const bool is_usual = value >= 0 && (size_t)value < COUNT(usual);
	return is_usual ? usual[value] : arena_printf(arena, "%d", value);
}

static void conf_take(struct arena *arena, const struct nlattr *conf, size_t number,
		      const char *key, struct live_link *link)
{
	int32_t value;
	if (!conf || mnl_attr_get_payload_len(conf) < (number + 1) * sizeof(value))
		return;
	memcpy(&value, (const char *)mnl_attr_get_payload(conf) + number * sizeof(value),
	       sizeof(value));
	*array_push(arena, link->sysctls, link->n_sysctls) =
		(struct live_sysctl){.key = key, .value = conf_text(arena, value)};
}

/* The kernel reports all IPv6 settings of a link here, which saves opening files of /proc/sys. A
 * loopback link is no attachment: each namespace has one, and its settings are not needed. */
static bool ipv6_decode(struct arena *arena, const struct nlattr *af_spec, struct live_link *link)
{
	const struct nlattr *families[AF_INET6 + 1], *at[IFLA_INET6_MAX + 1];
	if (!af_spec || link->type == ARPHRD_LOOPBACK)
		return true;
	if (!attrs_parse_nested(af_spec, families, COUNT(families)))
		return false;
	if (!families[AF_INET6])
		return true;
	if (!attrs_parse_nested(families[AF_INET6], at, COUNT(at)))
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
				 .device_bus = attr_get_text(arena, at[IFLA_PARENT_DEV_BUS_NAME]),
				 .device = attr_get_text(arena, at[IFLA_PARENT_DEV_NAME]),
				 .kind_name = ""};
	struct parent_ref parent = {.other_netns = at[IFLA_LINK_NETNSID] != NULL};
	if (!attr_get(at[IFLA_MTU], &link.mtu, sizeof(link.mtu)) ||
	    !attr_get(at[IFLA_MAX_MTU], &link.max_mtu, sizeof(link.max_mtu)) ||
	    !attr_get(at[IFLA_TXQLEN], &link.txqueuelen, sizeof(link.txqueuelen)) ||
	    !attr_get(at[IFLA_MASTER], &link.master, sizeof(link.master)) ||
	    !attr_get(at[IFLA_LINK], &link.parent, sizeof(link.parent)) ||
	    !attr_get(at[IFLA_LINK_NETNSID], &parent.nsid, sizeof(parent.nsid)) ||
	    !info_decode(arena, at[IFLA_LINKINFO], &link) ||
	    !altnames_decode(arena, at[IFLA_PROP_LIST], &link) ||
	    !ipv6_decode(arena, at[IFLA_AF_SPEC], &link))
		return DECODE_BAD;
	/* Tunnels have link-layer addresses of other lengths. */
	link.mac.set = attr_get(at[IFLA_ADDRESS], link.mac.bytes, sizeof(link.mac.bytes)) &&
		       at[IFLA_ADDRESS];
	link.permanent_mac.set = attr_get(at[IFLA_PERM_ADDRESS], link.permanent_mac.bytes,
					  sizeof(link.permanent_mac.bytes)) &&
				 at[IFLA_PERM_ADDRESS];
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
	if (!attr_get(attr, &info, sizeof(info)))
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
	if (!attr_get(attr, &info, sizeof(info)))
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
	if (!local || !attr_get_ip(local, header->ifa_family, &addr.prefix.ip) ||
	    !attr_get(at[IFA_FLAGS], &addr.flags, sizeof(addr.flags)) ||
	    !attr_get(at[IFA_PROTO], &addr.proto, sizeof(addr.proto)) ||
	    !attr_get(at[IFA_RT_PRIORITY], &addr.metric, sizeof(addr.metric)) ||
	    !lifetime_get(at[IFA_CACHEINFO], &addr) ||
	    header->ifa_prefixlen > ip_bits(&addr.prefix.ip))
		return DECODE_BAD;
	addr.prefix.len = header->ifa_prefixlen;
	if (at[IFA_PROTO])
		*has_proto = true;
	*ret = addr;
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
	return attr_get(at[NDA_LLADDR], ret_mac->bytes, sizeof(ret_mac->bytes)) ? DECODED
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
	if (!attr_get_ip(at[NDA_DST], family, &neighbor.ip) ||
	    !attr_get(at[NDA_LLADDR], neighbor.mac.bytes, sizeof(neighbor.mac.bytes)))
		return DECODE_BAD;
	*ret = neighbor;
	return DECODED;
}

enum decoded decode_nsid(const struct nlmsghdr *message, int *ret)
{
	const struct nlattr *at[NETNSA_MAX + 1];
	const struct rtgenmsg *header =
		message_parse(message, RTM_NEWNSID, sizeof(*header), at, COUNT(at));
	if (!header || !at[NETNSA_NSID] || !attr_get(at[NETNSA_NSID], ret, sizeof(*ret)))
		return DECODE_BAD;
	return DECODED;
}
