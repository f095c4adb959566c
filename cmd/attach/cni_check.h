/* CHECK of a CNI plugin: compares an interface with prevResult (section 2 of the CNI specification
 * 1.1.0). */
#ifndef CMD_ATTACH_CNI_CHECK_H
#define CMD_ATTACH_CNI_CHECK_H

#include "cmd/attach/netns_link.h"
#include "container_engine/cni_request.h"

/* Sets an error about the interface: "NAME WHAT". Returns a negative errno. */
int cni_differs(const struct cni_request *request, const char *what, struct error *error);
/* Whether the link is up, and has the MAC address, the addresses and the routes of prevResult. A
 * route is looked for in all tables, since a later plugin of the list may have moved it. Returns 0,
 * or a negative errno with the first difference. */
int cni_check(const struct cni_request *request, const struct netns_link *found,
	      struct arena *arena, struct error *error);

#endif
