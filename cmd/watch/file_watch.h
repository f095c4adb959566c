/* Reports when the content at given paths may have changed. It uses inotify on the folders that
 * hold the paths and on those of the symbolic links that lead there, so it detects a file that is
 * renamed into place, a folder that vanishes and returns, and a link that changes its target. The
 * targets of links in a given folder are watched likewise. */
#ifndef CMD_WATCH_FILE_WATCH_H
#define CMD_WATCH_FILE_WATCH_H

#include "lib/error.h"

#include <stdbool.h>
#include <stddef.h>

struct paths;

/* Returns NULL with an error. Paths are not copied. */
struct paths *paths_new(const char *const *paths, size_t count, struct error *error);
void paths_free(struct paths *paths);

/* Readable when something may have changed. */
int paths_fd(const struct paths *paths);

/* Reads pending events; returns whether one of them may concern the paths. Other files in the same
 * folders are ignored. */
bool paths_touched(struct paths *paths);

/* Watches the current targets of the paths instead of the former ones. Call it before the files are
 * read, so that no change in between is missed. An overflow needs no special handling: everything
 * is read again on any event. */
void paths_arm(struct paths *paths);

/* Watches nothing until the next paths_arm. */
void paths_disarm(struct paths *paths);

#endif
