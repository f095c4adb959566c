/* The capabilities of a thread (capabilities(7)). */
#ifndef LIB_CAPABILITY_H
#define LIB_CAPABILITY_H

#include <stdbool.h>
#include <stdint.h>

#define CAPABILITY_BIT(number) (UINT64_C(1) << (number))

/* Keeps those of `kept` (a mask of CAPABILITY_BIT) that the thread has, and drops all others
 * permanently. `inherited`: executed programs have them too, if no_new_privs is set; otherwise they
 * have none. Rejected: libcap, which takes as long to load and use as the rest of a small run.
 * Returns 0, or -1 with errno. */
int capabilities_keep(uint64_t kept, bool inherited);
/* The thread's effective capabilities, a mask of CAPABILITY_BIT; 0 if /proc does not show them.
 * Rejected: capget(2), which the filter of system calls denies. */
uint64_t capabilities_effective(void);

#endif
