/* What udhcpc runs at each of its events (`-s`): mvapply itself, which knows by a variable of the
 * environment that it is meant so. It says on its standard output what was leased. */
#ifndef DHCP_SCRIPT_H
#define DHCP_SCRIPT_H

#include <stdbool.h>

#define SCRIPT_VARIABLE "MVAPPLY_DHCP_EVENT"

bool script_meant(void);
/* `event`: udhcpc's word for it. Returns the exit code. */
int script_run(const char *event);

#endif
