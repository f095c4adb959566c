/* Warnings of a plan, as data. One function formats them. Pure. */
#ifndef RECONCILE_PLAN_WARNING_H
#define RECONCILE_PLAN_WARNING_H

#include "lib/arena.h"
#include "lib/error_codes.h"

/* The comments list the objects of each kind, in order. */
enum warning_kind {
	WARNING_PARENT_DOWN,       /* parent */
	WARNING_PARENT_NO_CARRIER, /* parent */
	WARNING_VLAN_NAME,       /* parent, its VLAN id, the link and the id that its name means */
	WARNING_BRIDGE_VLAN,     /* bridge, VLAN id */
	WARNING_BRIDGE_PVID,     /* bridge */
	WARNING_BRIDGE_PORTS,    /* bridge, VLAN id */
	WARNING_ADDRESS_CLAIMED, /* unmanaged link, address, attachment */
	WARNING_ADDRESSES_CLAIMED, /* the same, and the number of further ones */
	WARNING_ADDRESS_OF_SET,    /* link of another set, address, attachment */
	WARNING_SECOND_LINK,       /* namespace, link, the other's set, the other */
	WARNING_TWO_LINKS,         /* namespace, parent, link, its set, link, its set */
	WARNING_ROUTE_KEPT,        /* container, owner of the route, network, its gateway */
	WARNING_ROUTE_KEPT_VIA,    /* the same, and the gateway of the route */
	WARNING_ROUTE_ENGINE,      /* the same two, where the owner is the container's engine */
	WARNING_ROUTE_ENGINE_VIA,
	WARNING_UNREACHABLE,    /* container, network, address, the network that has the address */
	WARNING_IPV6_ENABLED,   /* attachment, link */
	WARNING_NOTHING_HERE,   /* host */
	WARNING_LOOKUP,         /* container, note of its lookup */
	WARNING_SET_UNDECLARED, /* set, network */
	WARNING_NO_RANGE,       /* network, set, range to set */
	WARNING_SUBNET_TWICE,   /* namespace, network, subnet, other network, its subnet */
	WARNING_GATEWAY_OWN,    /* network, gateway, parent */
	WARNING_LEASE_ROUTE,    /* attachment, prefix, other network, its subnet, own network */
	WARNING_POLICY_ADVERTISED, /* attachment */
	WARNING_BCQUEUELEN,        /* network */
	WARNING_BCLIM,             /* network */
	WARNING_LEASE_RUNS_OUT,    /* the number: 1 */
	WARNING_LEASES_RUN_OUT,    /* the number */
	N_WARNINGS,
};

#define WARNING_OBJECTS_MAX 6

struct warning {
	enum warning_kind kind;
	const char *objects[WARNING_OBJECTS_MAX];
};

/* CODE_NONE: the kind has no code. */
enum code warning_code(enum warning_kind kind);

/* The fix for a live set that no files declare, in the arena. */
const char *undeclared_set_remedy(const char *set, struct arena *arena);

/* A sentence without a full stop, in the arena; at most 511 bytes. */
const char *warning_text(const struct warning *warning, struct arena *arena);
/* One of each kind, followed by its code. */
const char **warnings_text(const struct warning *warnings, size_t count, struct arena *arena);

#endif
