/* Sysctls under /proc/sys/net, of the thread's network namespace. */
#ifndef KERNEL_SYSCTL_H
#define KERNEL_SYSCTL_H

#include "lib/error.h"

#include <stddef.h>

#define SYSCTL_VALUE_SIZE 256

/* `name` replaces the placeholder IFNAME in `key`; `name` may contain dots. */
int sysctl_path(const char *key, const char *name, char *ret, size_t size);
/* The value without the newline; *ret is a string of less than SYSCTL_VALUE_SIZE bytes. */
int sysctl_read(const char *key, const char *name, char ret[SYSCTL_VALUE_SIZE]);
int sysctl_write(const char *key, const char *name, const char *value, struct error *error);

#endif
