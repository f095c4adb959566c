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

/* Opens the table of this process's mount namespace, /proc/self/mountinfo (proc(5)). Returns a
 * descriptor, which shows the changes of that namespace to whoever has it, or a negative errno. */
int netns_mounts_open(void);
/* Reads the table. The caller frees the list with netns_mounts_free. NULL: it cannot be read; errno
 * says why. */
struct netns_mounts *netns_mounts_read(int table);
struct netns_mounts *netns_mounts_read_own(void);
void netns_mounts_free(struct netns_mounts *mounts);

#endif
