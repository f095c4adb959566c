/* The network namespaces of the mount table. */
#ifndef KERNEL_NETNS_MOUNTS_H
#define KERNEL_NETNS_MOUNTS_H

#include "kernel/netns.h"

struct netns_mounts {
	struct arena *arena;
	struct netns_place *places; /* those with names first, then Docker's, then others, each in
				       byte order */
	size_t count;
};

/* Reads the table of this process's mount namespace. The caller frees the list with
 * netns_mounts_free. NULL: /proc/self/mountinfo cannot be read; errno says why. */
struct netns_mounts *netns_mounts_read(void);
void netns_mounts_free(struct netns_mounts *mounts);

#endif
