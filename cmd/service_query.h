/* Queries a service (cmd/service_socket.h) for the addresses or owner tags in network namespaces.
 * The service follows the kernel's events of the namespaces that it knows, so the caller need not
 * enter these.
 *
 * The request is a text, and the answer one message. Both sides are on one host. A service of
 * another version closes the connection. Only namespaces of which the service is certain are in an
 * answer: one that is not is unknown to the service, or has changed.
 *
 *   "addresses 1 PREFIX"  an array of struct service_entry
 *   "tags 1"              a line for each namespace: its inode, and the owner tags of its links,
 *                         with a tab before each
 */
#ifndef CMD_SERVICE_QUERY_H
#define CMD_SERVICE_QUERY_H

#include "lib/ip.h"

#include <stddef.h>

/* Of each namespace one for each address in the prefix that a link on one of the host's links has;
 * or one without an address. */
struct service_entry {
	uint64_t inode; /* of the namespace */
	uint8_t family; /* 0: the namespace has no address in the prefix */
	uint8_t address[16];
	uint8_t reserved[7]; /* 0 */
};

/* The entries of the service that keeps the set. The caller frees *ret_entries. Returns their
 * number; 0 if there is no service, it is not trusted (lib/unix_peer.h), or it does not answer
 * within 200 ms. */
size_t service_query_addresses(const char *set, const struct prefix *prefix,
			       struct service_entry **ret_entries);
/* The lines, or NULL; the caller frees them. */
char *service_query_tags(const char *set);

#define SERVICE_QUERY_SIZE 128
/* The prefix of such a request; false: not a request of this version. */
bool service_query_parse(const char *text, struct prefix *ret);
/* Whether it is a request for tags. */
bool service_query_is_tags(const char *text);

#endif
