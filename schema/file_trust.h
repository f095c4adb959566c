/* Checks whether other users can write a file that root applies: the same check as sudo(8) on its
 * own files (sudoers(5), "must be owned by ... and not writable by"). */
#ifndef SCHEMA_FILE_TRUST_H
#define SCHEMA_FILE_TRUST_H

#include "lib/arena.h"

#include <stdbool.h>
#include <sys/stat.h>

struct trust {
	bool everybody; /* no check */
	uid_t user;     /* the user of sudo, whose files count as root's; 0: none */
};

/* The problem of a file or folder with this status, worded to follow its name; NULL: only root,
 * root's group and trust->user can write it. *ret_hint is the fix. Both texts are in the arena.
 * Pure. */
const char *trust_problem(const struct trust *trust, const struct stat *status, const char *path,
			  struct arena *arena, const char **ret_hint);

#endif
