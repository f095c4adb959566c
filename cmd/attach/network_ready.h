/* Whether a network can take another container now, which a runtime asks before it starts one. */
#ifndef CMD_ATTACH_NETWORK_READY_H
#define CMD_ATTACH_NETWORK_READY_H

#include "cmd/options.h"
#include "lib/error.h"
#include "schema/model.h"

/* Plans a guest, and changes nothing. `name`: "NETWORK" or "SET/NETWORK". Of a network with DHCP,
 * which has no guests, it checks the parent alone. Returns 0, or a negative errno with the first
 * obstacle: the files do not declare the network, its parent cannot be used, or no address is free.
 */
int network_ready(const struct desired *desired, const char *name, const struct options *options,
		  struct error *error);

#endif
