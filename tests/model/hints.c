/* Prints the hints of reconcile/apply/hints.h for tests/kernel/test_hints.py: a line for each row
 * and operation, "ERRNO OPERATION KIND CODE TEXT". */
#include "reconcile/apply/hints.h"

#include <stdio.h>
#include <string.h>

static const char *const operations[N_OPERATION_TYPES] = {
	[OP_LINK_NEW] = "new",
	[OP_LINK_ALIAS] = "alias",
	[OP_LINK_MOVE] = "move",
	[OP_LINK_DELETE] = "delete",
	[OP_LINK_RENAME] = "rename",
	[OP_LINK_MAC] = "mac",
	[OP_LINK_MTU] = "mtu",
	[OP_LINK_MODE] = "mode",
	[OP_LINK_BCQUEUELEN] = "bcqueuelen",
	[OP_LINK_BCLIM] = "bclim",
	[OP_LINK_IPVLAN_FLAG] = "ipvlan_flag",
	[OP_LINK_TXQUEUELEN] = "txqueuelen",
	[OP_LINK_PROMISC] = "promisc",
	[OP_LINK_ALLMULTICAST] = "allmulticast",
	[OP_ALTNAME_DELETE] = "unaltname",
	[OP_ALTNAME_ADD] = "altname",
	[OP_LINK_UP] = "up",
	[OP_LINK_DOWN] = "down",
	[OP_SYSCTL_SET] = "sysctl",
	[OP_ADDR_DELETE] = "unaddress",
	[OP_ADDR_ADD] = "address",
	[OP_ROUTE_DELETE] = "unroute",
	[OP_ROUTE_ADD] = "route",
	[OP_RULE_DELETE] = "unrule",
	[OP_RULE_ADD] = "rule",
	[OP_RESTORE] = "restore",
	[OP_LEASE] = "lease",
};

static const char *const kinds[] = {
	[HINT_ANY] = "any",
	[HINT_DRIVER] = "driver",
	[HINT_IPVLAN] = "ipvlan",
	[HINT_VLAN] = "vlan",
};

int main(void)
{
	size_t count;
	const struct hint *hints = hints_all(&count);
	for (size_t i = 0; i < count; i++)
		for (size_t type = 0; type < N_OPERATION_TYPES; type++)
			if (hints[i].operations >> type & 1)
				printf("%s %s %s MV%04d %s\n", strerrorname_np(hints[i].errnum),
				       operations[type], kinds[hints[i].kind], (int)hints[i].code,
				       hints[i].text);
	return 0;
}
