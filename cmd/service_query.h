/* Queries a service (cmd/service_socket.h) for the addresses or owner tags in network namespaces.
 * The service follows the kernel's events of the namespaces that it knows, so the caller need not
 * enter these.
 *
 * The request is a text, and the answer one message. Both sides are on one host. A service of
 * another version closes the connection. Only namespaces of which the service is certain are in an
 * answer: one that is not is unknown to the service, or has changed.
 *
 * "addresses 2 PREFIX VIEW", with the caller's open mount table if its mounts are process 1's: a
 * struct service_head; the entries of the namespaces; those of the addresses that the files give to
 * containers, whose inode is 0; and of each other mounted namespace "INODE PATH" with a NUL behind
 * it.
 *
 * "cuts 1 SOURCE", of the files' contents alone: a struct service_cut for each piece that declares
 * other containers than this one (cmd/excerpt.h).
 *
 * "tags 1": a line for each namespace: its inode, and the owner tags of its links, with a tab
 * before each.
 */
#ifndef CMD_SERVICE_QUERY_H
#define CMD_SERVICE_QUERY_H

#include "container_engine/container_name.h"
#include "kernel/mount_view.h"
#include "kernel/netns_mounts.h"
#include "lib/ip.h"
#include "schema/model.h"

#include <stddef.h>

struct service_head {
	uint32_t n_entries, n_declared;
	uint32_t open;   /* a container may get an address of the prefix that is chosen */
	uint32_t mounts; /* 1: the caller's mount table follows; 0: the service does not see it */
};

/* Of each namespace one for each address in the prefix that a link on one of the host's links has;
 * or one without an address. They are sorted by inode. */
struct service_entry {
	uint64_t inode; /* of the namespace */
	uint8_t family; /* 0: the namespace has no address in the prefix */
	uint8_t address[16];
	uint8_t reserved[7]; /* 0 */
};

/* Family 0: no address. */
struct service_entry service_entry_of(uint64_t inode, const struct ip *ip);
/* By inode, for qsort(3). */
int service_entry_compare(const void *a, const void *b);

/* An answer, which service_addresses_free frees. */
struct service_addresses {
	char *message;
	const struct service_entry *entries, *declared;
	size_t n_entries; /* 0: there is no service, it is not trusted (lib/unix_peer.h), or it does
			     not answer within 200 ms */
	size_t n_declared;
	bool open;
	struct netns_mounts *mounts; /* the mounted namespaces without an entry; NULL: the service
					does not see the mounts of this process */
};

void service_query_addresses(const char *set, const struct prefix *prefix,
			     struct service_addresses *ret);
void service_addresses_free(struct service_addresses *addresses);
/* Whether the namespace has an entry. */
bool service_addresses_have(const struct service_addresses *addresses, uint64_t inode);

/* A piece of a file. */
struct service_cut {
	uint32_t file;       /* a hash of its name */
	uint32_t begin, end; /* in characters */
};

/* A container that a runtime is starting. */
struct service_container {
	enum source_kind kind;
	struct engine_names names;
};

/* Whether the file's container is this one. */
bool service_container_is(const struct service_container *starting,
			  const struct container *container);

/* The pieces of the files that declare other containers. The caller frees *ret_cuts. Returns their
 * number; 0 also if no service uses these contents of the files (input_hash). */
size_t service_query_cuts(uint64_t content, const struct service_container *container,
			  struct service_cut **ret_cuts);
uint32_t service_file_hash(const char *file);
/* The container of such a request, whose names are cut from the text; false: it is none. */
bool service_query_cuts_parse(char *text, struct service_container *ret);
/* The lines, or NULL; the caller frees them. */
char *service_query_tags(const char *set);

#define SERVICE_QUERY_SIZE 512
/* The prefix and the caller's view of the mounts of such a request; false: not a request of this
 * version. */
bool service_query_parse(const char *text, struct prefix *ret_prefix, struct mount_view *ret_view);
/* Whether it is a request for tags. */
bool service_query_is_tags(const char *text);

#endif
