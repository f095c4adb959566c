/* The capabilities of a thread (capabilities(7)). */
#ifndef LIB_CAPABILITY_H
#define LIB_CAPABILITY_H

#include <stdbool.h>
#include <stdint.h>

#define CAPABILITY_BIT(number) (UINT64_C(1) << (number))

/* Keeps those of `kept` (a mask of CAPABILITY_BIT) that the thread has, and gives up all others,
 * for good. `inherited`: programs that it runs have them too, if no_new_privs is set; else none.
 * Not by libcap: to load it and to use it takes as long as all the rest of a small run. Returns 0,
 * or -1 with errno. */
int capabilities_keep(uint64_t kept, bool inherited);

#endif
