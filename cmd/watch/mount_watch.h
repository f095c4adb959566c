/* Notices network namespaces that get or lose a name. To have a name is to be mounted on it, so the
 * mount table tells of both; the file that is made before it (which inotify would tell) is no
 * namespace yet. */
#ifndef CMD_WATCH_MOUNT_WATCH_H
#define CMD_WATCH_MOUNT_WATCH_H

#include "lib/event_loop.h"

struct mounts;

/* A namespace may have been mounted or unmounted somewhere. */
typedef void mounts_changed(void *data);

/* Adds itself to the loop. Returns NULL with an error. */
struct mounts *mounts_new(struct loop *loop, mounts_changed *changed, void *data,
			  struct error *error);
void mounts_free(struct mounts *mounts);

#endif
