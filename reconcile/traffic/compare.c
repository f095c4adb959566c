#include "reconcile/traffic/compare.h"

#include <stddef.h>

typedef bool holds(const struct traffic_facts *facts);

static bool route_missing(const struct traffic_facts *facts)
{
	return facts->answered && facts->route_missing;
}

static bool answered(const struct traffic_facts *facts)
{
	return facts->answered;
}

static bool parent_down(const struct traffic_facts *facts)
{
	return facts->parent_known && !facts->parent_up;
}

static bool no_carrier(const struct traffic_facts *facts)
{
	return facts->parent_known && !facts->parent_carrier;
}

static bool link_down(const struct traffic_facts *facts)
{
	return !facts->link_up;
}

static bool no_address(const struct traffic_facts *facts)
{
	return !facts->has_address;
}

static bool unsent(const struct traffic_facts *facts)
{
	return !facts->sent;
}

static bool several_answers(const struct traffic_facts *facts)
{
	return facts->several_answers;
}

static bool host_gateway(const struct traffic_facts *facts)
{
	return facts->holder == GATEWAY_HOST;
}

static bool isolated(const struct traffic_facts *facts)
{
	return facts->holder == GATEWAY_SIBLING && facts->isolated;
}

static bool others_answered(const struct traffic_facts *facts)
{
	return facts->others_answered;
}

static bool mac_filter(const struct traffic_facts *facts)
{
	return facts->parent_answered && !facts->shares_mac;
}

static bool ip_filter(const struct traffic_facts *facts)
{
	return facts->parent_answered;
}

static bool tagged(const struct traffic_facts *facts)
{
	return facts->vlan && facts->untagged_answered;
}

static bool vlan_filter(const struct traffic_facts *facts)
{
	return !facts->parent_alive && facts->cable_alive;
}

static bool parent_alive(const struct traffic_facts *facts)
{
	return facts->parent_alive;
}

/* The first rule that is true decides. A fault of the host precedes a result of the answers,
 * except that an attachment that is answered needs no such reason. */
static const struct {
	enum traffic_break at;
	holds *holds;
} rules[] = {
	{BREAK_DUPLICATE, several_answers},
	{BREAK_ROUTE, route_missing},
	{BREAK_NONE, answered},
	{BREAK_PARENT_DOWN, parent_down},
	{BREAK_CARRIER, no_carrier},
	{BREAK_LINK_DOWN, link_down},
	{BREAK_ADDRESS, no_address},
	{BREAK_UNASKED, unsent},
	{BREAK_HOST_GATEWAY, host_gateway},
	{BREAK_ISOLATED, isolated},
	{BREAK_SOME, others_answered},
	{BREAK_MAC_FILTER, mac_filter},
	{BREAK_IP_FILTER, ip_filter},
	{BREAK_TAGGED, tagged},
	{BREAK_VLAN, vlan_filter},
	{BREAK_GATEWAY, parent_alive},
};

enum traffic_break traffic_compare(const struct traffic_facts *facts)
{
	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++)
		if (rules[i].holds(facts))
			return rules[i].at;
	return BREAK_NO_ANSWER;
}

const char *traffic_break_name(enum traffic_break at)
{
	static const char *const names[N_TRAFFIC_BREAKS] = {
		[BREAK_NONE] = "none",
		[BREAK_UNASKED] = "unasked",
		[BREAK_PARENT_DOWN] = "parent-down",
		[BREAK_CARRIER] = "parent-carrier",
		[BREAK_LINK_DOWN] = "container-link",
		[BREAK_ADDRESS] = "container-address",
		[BREAK_ROUTE] = "container-route",
		[BREAK_DUPLICATE] = "duplicate-gateway",
		[BREAK_HOST_GATEWAY] = "host-gateway",
		[BREAK_ISOLATED] = "mode",
		[BREAK_SOME] = "some",
		[BREAK_MAC_FILTER] = "mac-filter",
		[BREAK_IP_FILTER] = "ip-filter",
		[BREAK_TAGGED] = "vlan-untagged",
		[BREAK_VLAN] = "vlan",
		[BREAK_GATEWAY] = "gateway",
		[BREAK_NO_ANSWER] = "nobody",
	};
	return names[at];
}
