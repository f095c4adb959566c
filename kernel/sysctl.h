/* Sysctls under /proc/sys/net, of the network namespace that the thread is in. */
#ifndef KERNEL_SYSCTL_H
#define KERNEL_SYSCTL_H

#include "lib/error.h"

#include <stddef.h>

#define SYSCTL_VALUE_SIZE 256

/* `key` has the placeholder IFNAME, which `name` replaces; `name` may contain dots. */
int sysctl_path(const char *key, const char *name, char *ret, size_t size);
/* Without the newline; *ret is a string of less than SYSCTL_VALUE_SIZE bytes. */
int sysctl_read(const char *key, const char *name, char ret[SYSCTL_VALUE_SIZE]);
int sysctl_write(const char *key, const char *name, const char *value, struct error *error);

#endif
