/* Whether a run may have to do with DHCP: decided before it gives up its rights, and so before its
 * files are understood. */
#ifndef CMD_LEASES_H
#define CMD_LEASES_H

#include "cmd/options.h"

/* Starts what gets leases and gives them back (dhcp/lessor.h), for a command that may change the
 * host. An apply, which is to be quick, does without (0.3 ms) unless one of the files has the word
 * `dhcp` in it, or cannot be read beforehand: a folder, standard input. NULL: there is no
 * need. */
struct lessor *leases_begin(const struct command *command, const struct options *options);

#endif
