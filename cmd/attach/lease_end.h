/* The end of a lease whose link a runtime's call deletes. */
#ifndef CMD_ATTACH_LEASE_END_H
#define CMD_ATTACH_LEASE_END_H

#include "cmd/attach/netns_link.h"

struct dhcp_broker;

/* Releases the lease of an attachment in the namespace at the path, if it has one; without an
 * answer of the server the lease expires. Call it before the link is deleted. */
void lease_release(struct dhcp_broker *broker, const char *netns, const struct netns_link *found);
/* Removes the file with its name servers. */
void lease_file_remove(const struct netns_link *found);

#endif
