/* The privileges of the DHCP broker and its clients: capabilities, and a seccomp filter. */
#ifndef DHCP_BROKER_SANDBOX_H
#define DHCP_BROKER_SANDBOX_H

/* Gives up all capabilities but those of the broker, for good, and installs the filter that
 * scripts/seccomp.c makes for it; programs that are executed keep both. Where a container forbids
 * filters, there is none. Returns 0, or -1 with errno. */
int broker_confine(void);

#endif
