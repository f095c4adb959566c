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

/* The table of this process's mount namespace (proc(5)). */
#define NETNS_MOUNTS_OWN "/proc/self/mountinfo"

/* Reads the table of a mount namespace. The caller frees the list with netns_mounts_free. NULL: the
 * file cannot be read; errno says why. */
struct netns_mounts *netns_mounts_read(const char *file);
void netns_mounts_free(struct netns_mounts *mounts);

#endif
