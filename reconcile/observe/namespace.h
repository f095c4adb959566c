/* One network namespace: its record, and reading its links, addresses and routes. */
#ifndef RECONCILE_OBSERVE_NAMESPACE_H
#define RECONCILE_OBSERVE_NAMESPACE_H

#include "lib/error.h"
#include "reconcile/state/state.h"

#include <sys/stat.h>

/* The parts to read in addition to links. */
struct namespace_read_options {
	const struct container *
		*containers; /* the containers in the namespace: for their sysctls */
	size_t n_containers;
	bool links_only; /* neither addresses nor routes nor sysctls */
	bool own_routes; /* of its routes, only those of mvapply's protocol are needed */
};

/* A record of a namespace that is to be read. Takes over the descriptor, copies the name. */
struct live_ns *namespace_new(int fd, const struct stat *stat, const char *name);
void namespace_free(struct live_ns *ns);
void namespace_rename(struct live_ns *ns, const char *name);
/* Sets the source to a copy; NULL: none. */
void namespace_source(struct live_ns *ns, const char *source);

/* Reads the namespace again through its open handle; leaves the thread in it (see netns_return).
 * *ret_addr_proto is set if an address has IFA_PROTO. On failure the record is empty. If a
 * namespace other than the host's has more than the limit, only the first part is read
 * (live_ns.crowded). */
int namespace_read(struct live_ns *ns, int host_fd,
		   const struct namespace_read_options *read_options, bool *ret_addr_proto,
		   struct error *error);

#endif
