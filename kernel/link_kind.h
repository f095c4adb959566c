/* What rtnetlink calls the kinds of links and their modes. */
#ifndef KERNEL_LINK_KIND_H
#define KERNEL_LINK_KIND_H

#include "kernel/link.h"

/* "macvlan", "vlan"; "" for KIND_OTHER. */
const char *link_kind_name(enum link_kind kind);
enum link_kind link_kind_find(const char *name);

/* IFLA_MACVLAN_MODE and IFLA_IPVLAN_MODE. False for what the input cannot name. */
bool link_mode_from_kernel(enum link_kind kind, uint32_t value, enum link_mode *ret);
uint32_t link_mode_to_kernel(enum link_mode mode);

/* IFLA_VLAN_PROTOCOL in host order: an Ethernet type. */
bool vlan_protocol_from_kernel(uint16_t value, enum vlan_protocol *ret);
uint16_t vlan_protocol_to_kernel(enum vlan_protocol protocol);

#endif
