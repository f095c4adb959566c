/* Drops privileges that the rest of a run does not need, before any input of others is read.
 * SECURITY.md describes the protection. */
#ifndef CMD_SANDBOX_H
#define CMD_SANDBOX_H

#include "cmd/options.h"

/* Reduces this thread and its descendants to the capabilities that the command needs, without a way
 * to gain others (PR_SET_NO_NEW_PRIVS), and to the system calls that scripts/seccomp.c lists. A
 * failure (an old kernel, a container's rules) is reported with -v only. Call it before there are
 * threads. */
void confine(const struct command *command, const struct options *options);

/* Whether a command needs a capability (capabilities(7), by its number). `other_netns`: it uses a
 * file or socket that may belong to another user. Pure. */
bool capability_needed(unsigned capability, unsigned groups, bool other_netns);

#endif
