/* Finds the init process of a container of LXC, by the command socket of the container's monitor.
 * lxc-info uses it, too: src/lxc/commands.h of LXC, the same since LXC 1.0. */
#ifndef CONTAINER_ENGINE_LXC_COMMAND_H
#define CONTAINER_ENGINE_LXC_COMMAND_H

#include "lib/error.h"

#include <sys/types.h>

/* `folder`: the container's folder, lxc.lxcpath and its name; the monitor's socket has the abstract
 * name "FOLDER/command". Waits for at most a second for the answer. Returns the process id;
 * -ENOENT: there is no such monitor, or it has no init yet; -EINVAL: the socket belongs to a
 * process that is not trusted (lib/unix_peer.h) or of another pid namespace; or another negative
 * errno. */
pid_t lxc_init_pid(const char *folder, struct error *error);
/* Calls `visit` with the folder of each container whose monitor has such a socket, or of which
 * another process has bound the name. */
void lxc_list(void (*visit)(void *data, const char *folder), void *data);

#endif
