/* Queries a service (cmd/service_socket.h) for the addresses of network namespaces. The service
 * follows the kernel's events of the namespaces that it knows, so the caller need not enter these.
 *
 * The request is the text "addresses 1 PREFIX". The answer is one message of entries: for each
 * namespace of whose addresses the service is certain, an entry for each address in the prefix that
 * a link on one of the host's links has, or one without an address. Both sides are on one host. A
 * service of another version closes the connection. */
#ifndef CMD_SERVICE_QUERY_H
#define CMD_SERVICE_QUERY_H

#include "lib/ip.h"

#include <stddef.h>

struct service_entry {
	uint64_t inode; /* of the namespace */
	uint8_t family; /* 0: the namespace has no address in the prefix */
	uint8_t address[16];
	uint8_t reserved[7]; /* 0 */
};

/* The entries of the service that keeps the set. The caller frees *ret_entries. Returns their
 * number; 0 if there is no service, it is not trusted (lib/unix_peer.h), or it does not answer
 * within 50 ms. A namespace without an entry is unknown to the service, or has changed. */
size_t service_query(const char *set, const struct prefix *prefix,
		     struct service_entry **ret_entries);

#define SERVICE_QUERY_SIZE 128
/* The prefix of a request; false: not a request of this version. */
bool service_query_parse(const char *text, struct prefix *ret);

#endif
