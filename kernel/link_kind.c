#include "kernel/link_kind.h"

#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <linux/if_link.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

_Static_assert(MACVLAN_BC_CUTOFF < LINK_ATTRIBUTE_TYPES, "the highest type in the rows");

static const struct link_type types[N_LINK_KINDS] = {
	[KIND_OTHER] = {.name = "", .module = ""},
	[KIND_MACVLAN] = {.name = "macvlan",
			  .module = "macvlan",
			  .has_parent = true,
			  .has_driver = true,
			  .driver = DRIVER_MACVLAN,
			  .txqueuelen = 1000, /* DEFAULT_TX_QUEUE_LEN */
			  .attributes = {{IFLA_MACVLAN_MODE, 4, VALUE_MODE, "mode"},
					 {IFLA_MACVLAN_BC_QUEUE_LEN, 4, VALUE_BCQUEUELEN,
					  "bcqueuelen"},
					 {MACVLAN_BC_CUTOFF, 4, VALUE_BCLIM, "bclim"}}},
	[KIND_IPVLAN] = {.name = "ipvlan",
			 .module = "ipvlan",
			 .has_parent = true,
			 .has_driver = true,
			 .driver = DRIVER_IPVLAN,
			 .txqueuelen = 1000,
			 .attributes = {{IFLA_IPVLAN_MODE, 2, VALUE_MODE, "mode"},
					{IFLA_IPVLAN_FLAGS, 2, VALUE_IPVLAN_FLAG, ""}}},
	[KIND_MACVTAP] = {.name = "macvtap",
			  .module = "macvtap",
			  .has_parent = true,
			  .has_driver = true,
			  .driver = DRIVER_MACVTAP,
			  .txqueuelen = 500, /* TUN_READQ_SIZE */
			  .attributes = {{IFLA_MACVLAN_MODE, 4, VALUE_MODE, "mode"},
					 {IFLA_MACVLAN_BC_QUEUE_LEN, 4, VALUE_BCQUEUELEN,
					  "bcqueuelen"},
					 {MACVLAN_BC_CUTOFF, 4, VALUE_BCLIM, "bclim"}}},
	[KIND_VLAN] = {.name = "vlan",
		       .module = "8021q",
		       .has_parent = true,
		       .attributes = {{IFLA_VLAN_PROTOCOL, 2, VALUE_VLAN_PROTOCOL, "protocol"},
				      {IFLA_VLAN_ID, 2, VALUE_VLAN, "id"}}},
	[KIND_DUMMY] = {.name = "dummy", .module = "dummy"},
};

/* Kinds that mvapply does not create. The kernel implements ipvtap as an ipvlan. */
static const struct {
	const char *name;
	enum driver handler;
} others[] = {{"ipvtap", DRIVER_IPVLAN}};

static const uint32_t modes[] = {
	[MODE_BRIDGE] = MACVLAN_MODE_BRIDGE, [MODE_PRIVATE] = MACVLAN_MODE_PRIVATE,
	[MODE_VEPA] = MACVLAN_MODE_VEPA,     [MODE_PASSTHRU] = MACVLAN_MODE_PASSTHRU,
	[MODE_L2] = IPVLAN_MODE_L2,          [MODE_L3] = IPVLAN_MODE_L3,
	[MODE_L3S] = IPVLAN_MODE_L3S,
};

static const uint32_t flags[] = {
	[IPVLAN_BRIDGE] = 0,
	[IPVLAN_PRIVATE] = IPVLAN_F_PRIVATE,
	[IPVLAN_VEPA] = IPVLAN_F_VEPA,
};

static const uint16_t protocols[] = {
	[VLAN_8021Q] = ETH_P_8021Q,
	[VLAN_8021AD] = ETH_P_8021AD,
};

const struct link_type *link_type(enum link_kind kind)
{
	return &types[kind];
}

enum link_kind link_kind_find(const char *name)
{
	for (size_t i = KIND_OTHER + 1; i < N_LINK_KINDS; i++)
		if (strcmp(types[i].name, name) == 0)
			return (enum link_kind)i;
	return KIND_OTHER;
}

const char *link_kind_name(enum link_kind kind)
{
	return types[kind].name;
}

enum link_kind link_kind_of_driver(enum driver driver)
{
	for (size_t i = 0; i < N_LINK_KINDS; i++)
		if (types[i].has_driver && types[i].driver == driver)
			return (enum link_kind)i;
	return KIND_OTHER;
}

bool link_kind_shares_mac(enum link_kind kind)
{
	return types[kind].has_driver && driver_info(types[kind].driver)->shares_mac;
}

bool link_handler(const struct live_link *link, enum driver *ret)
{
	const struct link_type *type = &types[link->kind];
	if (type->has_driver)
		*ret = driver_info(type->driver)->handler;
	for (size_t i = 0; i < COUNT(others); i++) {
		if (type->has_driver || strcmp(others[i].name, link->kind_name) != 0)
			continue;
		*ret = others[i].handler;
		return true;
	}
	return type->has_driver;
}

bool link_value_given(const struct link_spec *spec, enum link_value value)
{
	return (value != VALUE_BCQUEUELEN || spec->has_bcqueuelen) &&
	       (value != VALUE_BCLIM || spec->has_bclim);
}

uint32_t link_value_get(const struct link_spec *spec, enum link_value value)
{
	switch (value) {
	case VALUE_MODE:
		return modes[spec->mode];
	case VALUE_BCQUEUELEN:
		return spec->bcqueuelen;
	case VALUE_BCLIM:
		return (uint32_t)spec->bclim;
	case VALUE_IPVLAN_FLAG:
		return flags[spec->ipvlan_flag];
	case VALUE_VLAN:
		return spec->vlan;
	case VALUE_VLAN_PROTOCOL:
		return htons(protocols[spec->vlan_protocol]);
	}
	return 0;
}

static void mode_set(struct live_link *link, uint32_t number)
{
	const enum driver driver = types[link->kind].driver;
	for (size_t i = 0; i < COUNT(modes); i++) {
		if (modes[i] != number || !driver_has_mode(driver, (enum link_mode)i))
			continue;
		link->mode = (enum link_mode)i;
		link->mode_known = true;
	}
}

/* ipvlan_nl_validate refuses others. */
static bool flag_set(struct live_link *link, uint32_t number)
{
	for (size_t i = 0; i < COUNT(flags); i++) {
		if (flags[i] != number)
			continue;
		link->ipvlan_flag = (enum ipvlan_flag)i;
		return true;
	}
	return false;
}

static bool protocol_set(struct live_link *link, uint32_t number)
{
	for (size_t i = 0; i < COUNT(protocols); i++) {
		if (htons(protocols[i]) != number)
			continue;
		link->vlan_protocol = (enum vlan_protocol)i;
		return true;
	}
	return false;
}

bool link_value_set(struct live_link *link, enum link_value value, uint32_t number)
{
	switch (value) {
	case VALUE_MODE:
		mode_set(link, number);
		return true;
	case VALUE_BCQUEUELEN:
		link->has_bcqueuelen = true;
		link->bcqueuelen = number;
		return true;
	case VALUE_BCLIM:
		link->bclim = (int)number;
		return true;
	case VALUE_IPVLAN_FLAG:
		return flag_set(link, number);
	case VALUE_VLAN:
		link->vlan = (uint16_t)number;
		return true;
	case VALUE_VLAN_PROTOCOL:
		return protocol_set(link, number);
	}
	return false;
}

static const char *value_text(struct arena *arena, const struct link_spec *spec,
			      enum link_value value)
{
	switch (value) {
	case VALUE_MODE:
		return link_mode_name(spec->mode);
	case VALUE_VLAN_PROTOCOL:
		return vlan_protocol_name(spec->vlan_protocol);
	case VALUE_IPVLAN_FLAG:
		return ipvlan_flag_name(spec->ipvlan_flag);
	case VALUE_BCLIM:
		return arena_printf(arena, "%d", spec->bclim);
	case VALUE_BCQUEUELEN:
	case VALUE_VLAN:
		break;
	}
	return arena_printf(arena, "%u", link_value_get(spec, value));
}

const char *link_type_text(struct arena *arena, const struct link_spec *spec)
{
	const struct link_type *type = &types[spec->kind];
	const char *text = type->name;
	for (const struct link_attribute *at = type->attributes; at->type; at++)
		if (link_value_given(spec, at->value))
			text = arena_printf(arena, "%s%s%s %s", text, *at->word ? " " : "",
					    at->word, value_text(arena, spec, at->value));
	return text;
}
