/* The script that udhcpc runs at each of its events (`-s`): the mvapply executable, which
 * recognises the call by an environment variable. It prints the lease on standard output. */
#ifndef DHCP_UDHCPC_SCRIPT_H
#define DHCP_UDHCPC_SCRIPT_H

#include <stdbool.h>

#define SCRIPT_VARIABLE "MVAPPLY_DHCP_EVENT"

/* The script's path for udhcpc: an inherited descriptor of the mvapply executable. busybox itself
 * uses 3 and 4. */
#define SCRIPT_FD   9
#define SCRIPT_PATH "/proc/self/fd/9"

/* Whether the process was started as the script: by that path, with the variable, and with one of
 * udhcpc's events as the only argument. */
bool script_meant(int argc, char **argv);
/* `event`: udhcpc's name of it. Returns the exit code. */
int script_run(const char *event);

#endif
