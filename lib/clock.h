/* The monotonic clock. */
#ifndef LIB_CLOCK_H
#define LIB_CLOCK_H

#include <stdint.h>

/* CLOCK_MONOTONIC (clock_gettime(2)). */
int64_t clock_milliseconds(void);
int64_t clock_microseconds(void);

#endif
