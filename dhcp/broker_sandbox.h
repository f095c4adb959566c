/* The privileges of the DHCP broker and its clients: capabilities, and a seccomp filter. */
#ifndef DHCP_BROKER_SANDBOX_H
#define DHCP_BROKER_SANDBOX_H

/* Drops all capabilities except those of the broker, permanently, and installs the seccomp filter
 * that scripts/seccomp.c generates for it; executed programs keep both. A container that forbids
 * filters runs without one. Returns 0, or -1 with errno. */
int broker_confine(void);

#endif
