/* Identifies processes by descriptors of their /proc folders, which never refer to a later process
 * with the same id. */
#ifndef KERNEL_PROCESS_H
#define KERNEL_PROCESS_H

#include "lib/error.h"

#include <stdint.h>
#include <sys/types.h>

/* Returns a descriptor, or a negative errno: -ENOENT if there is no such process. */
int process_open(pid_t pid, struct error *error);
/* Its start time, rounded up, on the clock of process_now; -1: it has ended, or /proc does not show
 * it. */
int64_t process_started(int process);
/* Milliseconds since boot (CLOCK_BOOTTIME). */
int64_t process_now(void);

#endif
