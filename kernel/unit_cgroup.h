/* Finds the main process of a running unit of systemd, by the unit's control group. */
#ifndef KERNEL_UNIT_CGROUP_H
#define KERNEL_UNIT_CGROUP_H

#include "lib/error.h"

#include <sys/types.h>

/* `unit`: the whole name, with ".service". Its control group is below slices (systemd.slice(5)),
 * whose folders root owns: others are not searched, as a user can make groups of any name in a
 * delegated one. The main process is the oldest one of the group. Returns its process id; -ENOENT:
 * the unit has no process, or no group of its own. */
pid_t unit_main_pid(const char *unit, struct error *error);
/* Calls `visit` for each running service, by the whole name of its unit. */
void units_list(void (*visit)(void *data, const char *unit), void *data);

#endif
