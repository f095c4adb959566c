/* The IPv4 addresses of the mounted network namespaces, which the plugin's workers share: a
 * namespace is read once, and again after the kernel has reported a change of its addresses. So the
 * plugin need not enter all namespaces for each container where no service runs. */
#ifndef CMD_DOCKER_PLUGIN_ADDRESS_MEMORY_H
#define CMD_DOCKER_PLUGIN_ADDRESS_MEMORY_H

/* For this process and its children (other_addresses_source_set). Nothing wakes up for an event: it
 * waits in the socket for the next query. Without CAP_NET_BROADCAST there is no memory. */
void address_memory_open(void);

#endif
