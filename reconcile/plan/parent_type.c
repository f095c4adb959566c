#include "reconcile/plan/parent_type.h"

#include "lib/arena.h"

#include <linux/if_arp.h>
#include <string.h>

/* Of links without IFLA_INFO_KIND. */
static const struct {
	uint16_t type;
	const char *name;
} names[] = {
	{ARPHRD_IEEE1394, "IEEE 1394"},
	{ARPHRD_INFINIBAND, "InfiniBand"},
	{ARPHRD_SLIP, "SLIP"},
	{ARPHRD_CAN, "CAN"},
	{ARPHRD_PPP, "PPP"},
	{ARPHRD_RAWIP, "raw IP"},
	{ARPHRD_TUNNEL, "an IPv4 tunnel"},
	{ARPHRD_TUNNEL6, "an IPv6 tunnel"},
	{ARPHRD_LOOPBACK, "loopback"},
	{ARPHRD_SIT, "sit"},
	{ARPHRD_IPGRE, "GRE"},
	{ARPHRD_IEEE80211, "IEEE 802.11"},
	{ARPHRD_IEEE80211_PRISM, "IEEE 802.11 monitor"},
	{ARPHRD_IEEE80211_RADIOTAP, "IEEE 802.11 monitor"},
	{ARPHRD_IEEE802154, "IEEE 802.15.4"},
	{ARPHRD_IP6GRE, "GRE over IPv6"},
	{ARPHRD_NONE, "a tunnel without link layer addresses"},
};

/* macvlan_port_create and ipvlan_port_create require ARPHRD_ETHER. A VRF device has that type, and
 * IFF_NO_RX_HANDLER (vrf_setup). */
const char *parent_type_unfit(const struct live_link *link, struct arena *arena)
{
	if (link->type == ARPHRD_ETHER)
		return strcmp(link->kind_name, "vrf") == 0 ? link->kind_name : NULL;
	if (*link->kind_name)
		return link->kind_name;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (names[i].type == link->type)
			return names[i].name;
	return arena_printf(arena, "hardware type %u", link->type);
}
