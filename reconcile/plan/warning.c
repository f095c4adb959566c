#include "reconcile/plan/warning.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define SET_REMEDY(set)                                                                            \
	"if that set was renamed or is not wanted any more, `mvapply delete --name " set           \
	"` removes all of it"
#define LEASE_REASON "out instead of being given back, as --confirm may go back to them"

/* {0} is the first object. */
static const char *const sentences[] = {
	[WARNING_PARENT_DOWN] = "parent {0} is down: nothing passes until `ip link set {0} up`",
	[WARNING_PARENT_NO_CARRIER] =
		"parent {0} has no carrier: nothing passes until its cable or peer is up",
	[WARNING_ADDRESS_CLAIMED] =
		"{0} has the address {1}, too, which is that of {2}: it is ignored",
	[WARNING_ADDRESSES_CLAIMED] =
		"{0} has the address {1}, too, which is that of {2}: it is ignored, as are {3} more "
		"in that namespace",
	[WARNING_SECOND_LINK] =
		"{0} has a second link on the LAN of {1}, of set \"{2}\": {3}; " SET_REMEDY("{2}"),
	[WARNING_TWO_LINKS] =
		"{0} has two links on the LAN of {1}, {2} of set \"{3}\" and {4} of set \"{5}\": "
		"remove one of the two from the files",
	[WARNING_ROUTE_KEPT] =
		"{0} keeps the default route of {1}; that of network {2} (via {3}) is left out",
	[WARNING_ROUTE_KEPT_VIA] = "{0} keeps the default route of {1}, via {4}; that of network "
				   "{2} (via {3}) is left out",
	[WARNING_UNREACHABLE] = "the host cannot reach {0} on network {1}: its way to {2} leads "
				"through network {3}",
	[WARNING_NOTHING_HERE] =
		"no network of the files lives on this host, \"{0}\": their `hosts` name others, "
		"and --host says which one it is",
	[WARNING_LOOKUP] = "{1}",
	[WARNING_SET_LEFT] =
		"set \"{0}\" is live on network {1}, and these files do not name it; " SET_REMEDY(
			"{0}"),
	[WARNING_LEASE_RUNS_OUT] = "{0} lease of DHCP runs " LEASE_REASON,
	[WARNING_LEASES_RUN_OUT] = "{0} leases of DHCP run " LEASE_REASON,
};

const char *left_set_remedy(const char *set, struct arena *arena)
{
	return arena_printf(arena, SET_REMEDY("%s"), set);
}

const char *warning_text(const struct warning *warning, struct arena *arena)
{
	char text[512];
	size_t used = 0;
	for (const char *at = sentences[warning->kind]; *at && used < sizeof(text);) {
		const bool object = *at == '{';
		const char *piece = object ? warning->objects[at[1] - '0'] : at;
		const size_t length = object ? strlen(piece) : strcspn(at, "{");
		used += (size_t)snprintf(text + used, sizeof(text) - used, "%.*s", (int)length,
					 piece);
		at += object ? strlen("{0}") : length;
	}
	return arena_strdup(arena, text);
}

const char **warnings_text(const struct warning *warnings, size_t count, struct arena *arena)
{
	const char **texts = arena_alloc(arena, (count + 1) * sizeof(*texts));
	for (size_t i = 0; i < count; i++)
		texts[i] = warning_text(&warnings[i], arena);
	return texts;
}
