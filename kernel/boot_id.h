/* The random id that the kernel generates at each boot (random(4)). */
#ifndef KERNEL_BOOT_ID_H
#define KERNEL_BOOT_ID_H

#include "lib/arena.h"

/* The id as text; "" if it cannot be read. In the arena. */
const char *boot_id(struct arena *arena);

#endif
