#include "kernel/link_kind.h"

#include <linux/if_ether.h>
#include <linux/if_link.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const char *const kinds[] = {
	[KIND_OTHER] = "",    [KIND_MACVLAN] = "macvlan", [KIND_IPVLAN] = "ipvlan",
	[KIND_VLAN] = "vlan", [KIND_DUMMY] = "dummy",
};

static const struct {
	enum link_kind kind;
	uint32_t value;
} modes[] = {
	[MODE_BRIDGE] = {KIND_MACVLAN, MACVLAN_MODE_BRIDGE},
	[MODE_PRIVATE] = {KIND_MACVLAN, MACVLAN_MODE_PRIVATE},
	[MODE_VEPA] = {KIND_MACVLAN, MACVLAN_MODE_VEPA},
	[MODE_PASSTHRU] = {KIND_MACVLAN, MACVLAN_MODE_PASSTHRU},
	[MODE_L2] = {KIND_IPVLAN, IPVLAN_MODE_L2},
	[MODE_L3] = {KIND_IPVLAN, IPVLAN_MODE_L3},
	[MODE_L3S] = {KIND_IPVLAN, IPVLAN_MODE_L3S},
};

static const uint16_t protocols[] = {
	[VLAN_8021Q] = ETH_P_8021Q,
	[VLAN_8021AD] = ETH_P_8021AD,
};

const char *link_kind_name(enum link_kind kind)
{
	return (size_t)kind < COUNT(kinds) ? kinds[kind] : "";
}

enum link_kind link_kind_find(const char *name)
{
	for (size_t i = KIND_OTHER + 1; i < COUNT(kinds); i++)
		if (strcmp(kinds[i], name) == 0)
			return (enum link_kind)i;
	return KIND_OTHER;
}

bool link_mode_from_kernel(enum link_kind kind, uint32_t value, enum link_mode *ret)
{
	for (size_t i = 0; i < COUNT(modes); i++)
		if (modes[i].kind == kind && modes[i].value == value) {
			*ret = (enum link_mode)i;
			return true;
		}
	return false;
}

uint32_t link_mode_to_kernel(enum link_mode mode)
{
	return modes[mode].value;
}

bool vlan_protocol_from_kernel(uint16_t value, enum vlan_protocol *ret)
{
	for (size_t i = 0; i < COUNT(protocols); i++)
		if (protocols[i] == value) {
			*ret = (enum vlan_protocol)i;
			return true;
		}
	return false;
}

uint16_t vlan_protocol_to_kernel(enum vlan_protocol protocol)
{
	return protocols[protocol];
}
