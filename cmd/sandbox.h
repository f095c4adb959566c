/* Drops privileges that the rest of a run does not need, before any input that others wrote is
 * read. SECURITY.md says what this protects from. */
#ifndef CMD_SANDBOX_H
#define CMD_SANDBOX_H

#include "cmd/options.h"

/* Leaves this thread, and those that it starts, the capabilities that the command needs, as far as
 * it has them, and no way to get others (PR_SET_NO_NEW_PRIVS); and the system calls that
 * scripts/seccomp.c lists. What cannot be given up (an old kernel, a container's rules) is said
 * with -v alone. To be called before there are threads. */
void confine(const struct command *command, const struct options *options);

/* Whether a command needs a capability (capabilities(7), by its number). `other_netns`: it is told
 * to use a file or a socket that may belong to another user. Pure. */
bool capability_needed(unsigned capability, unsigned groups, bool other_netns);

#endif
