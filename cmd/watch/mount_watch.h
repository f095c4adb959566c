/* Reports when a network namespace gets or loses its name. A named namespace is mounted on its
 * name, so the mount table shows both. inotify would report the file that is created before the
 * mount, which is no namespace yet. */
#ifndef CMD_WATCH_MOUNT_WATCH_H
#define CMD_WATCH_MOUNT_WATCH_H

#include "kernel/mount_view.h"
#include "kernel/netns_mounts.h"
#include "lib/event_loop.h"

struct mounts;

/* A namespace may have been mounted or unmounted somewhere. */
typedef void mounts_changed(void *data);

/* Adds itself to the loop. Returns NULL with an error. */
struct mounts *mounts_new(struct loop *loop, mounts_changed *changed, void *data,
			  struct error *error);
void mounts_free(struct mounts *mounts);

/* The namespaces of the mount table, which is read again only if it has changed since the last
 * call. NULL: it cannot be read. Valid until the next call. */
const struct netns_mounts *mounts_table(struct mounts *mounts);

/* The same of the mounts that another process sees: the service's own, or those of process 1, from
 * which systemd gives a service a copy. The service may not read these, so such a process passes an
 * open table, or -1; it is copied, and kept for others with the same view. NULL: no such table. */
const struct netns_mounts *mounts_table_of(struct mounts *mounts, const struct mount_view *view,
					   int table);

#endif
