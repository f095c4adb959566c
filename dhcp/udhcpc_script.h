/* The script that udhcpc runs at each of its events (`-s`): mvapply itself, which recognises the
 * call by an environment variable. It prints the lease on standard output. */
#ifndef DHCP_UDHCPC_SCRIPT_H
#define DHCP_UDHCPC_SCRIPT_H

#include <stdbool.h>

#define SCRIPT_VARIABLE "MVAPPLY_DHCP_EVENT"

/* The script's path for udhcpc: a descriptor of mvapply that it inherits. busybox uses 3 and 4
 * itself. */
#define SCRIPT_FD   9
#define SCRIPT_PATH "/proc/self/fd/9"

/* Whether that is how it was started: by that path, with the variable, and with one of udhcpc's
 * words for an event alone. */
bool script_meant(int argc, char **argv);
/* `event`: udhcpc's word for it. Returns the exit code. */
int script_run(const char *event);

#endif
