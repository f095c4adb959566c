/* Installs a seccomp filter that scripts/seccomp.c wrote. */
#ifndef LIB_SECCOMP_H
#define LIB_SECCOMP_H

#include <stddef.h>

struct sock_filter;

/* For this process and its children, permanently (seccomp(2)); requires no_new_privs or
 * CAP_SYS_ADMIN. Returns 0, or -1 with errno. */
int seccomp_install(struct sock_filter *steps, size_t count);

#endif
