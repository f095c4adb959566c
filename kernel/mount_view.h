/* Which mounts a process sees: those of its mount namespace, by paths from its root folder. */
#ifndef KERNEL_MOUNT_VIEW_H
#define KERNEL_MOUNT_VIEW_H

#include <stdbool.h>
#include <sys/types.h>

struct mount_view {
	ino_t namespace;
	dev_t device; /* of the root folder */
	ino_t root;
};

/* The view of a process: "self", or its id. False: it may not be read (ptrace(2), "ptrace access
 * mode checking"), or there is no such process. */
bool mount_view_read(const char *process, struct mount_view *ret);
bool mount_view_same(const struct mount_view *a, const struct mount_view *b);

#define MOUNT_VIEW_TEXT_SIZE 64
/* "4026531841 fe00 2", into the caller's text. */
const char *mount_view_format(const struct mount_view *view, char text[MOUNT_VIEW_TEXT_SIZE]);
/* False: not such a text. */
bool mount_view_parse(const char *text, struct mount_view *ret);

#endif
