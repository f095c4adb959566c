/* Finds the leader of a machine that is registered with systemd-machined: the first process of a
 * container of systemd-nspawn, by the machine's state file. systemd calls the file private; its own
 * sd_machine_get_class(3) of any version reads it, and LEADER has been in it since systemd 205. */
#ifndef CONTAINER_ENGINE_MACHINED_H
#define CONTAINER_ENGINE_MACHINED_H

#include "lib/error.h"

#include <sys/types.h>

/* Returns the process id; -ENOENT: no such machine is registered; -EINVAL: a user other than root
 * registered it (systemd 258 and later), or the file is not root's; or another negative errno. */
pid_t machine_leader_pid(const char *name, struct error *error);
/* Calls `visit` for each registered machine. */
void machines_list(void (*visit)(void *data, const char *name), void *data);

#endif
