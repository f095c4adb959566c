/* Encodes requests that change nothing, and whose answers say what the kernel has. Pure. */
#ifndef KERNEL_RTNL_ENCODE_PROBE_H
#define KERNEL_RTNL_ENCODE_PROBE_H

#include "kernel/rtnl_encode.h"

/* The link of every network namespace from its start (loopback_net_init). */
#define LOOPBACK_IFINDEX 1
#define LOOPBACK_NAME    "lo"

/* A request that creates nothing: the kernel refuses it even if it supports the kind, since it has
 * no parent, and an address of 1 byte, which every kind refuses (macvlan_validate,
 * dummy_validate). */
bool encode_kind_probe(union message *message, enum link_kind kind);
/* The same for a macvlan, with IFLA_MACVLAN_BC_QUEUE_LEN or IFLA_MACVLAN_BC_CUTOFF of 1 byte. */
bool encode_bcqueuelen_probe(union message *message);
bool encode_bclim_probe(union message *message);
/* A new address with IFA_PROTO of 0 bytes, which every kernel refuses: it has no IFA_LOCAL
 * (rtm_to_ifaddr). */
bool encode_addr_protocol_probe(union message *message);
/* Adds an empty list of alternative names to the loopback (rtnl_linkprop). */
bool encode_altname_probe(union message *message);
/* Gives the loopback the name that it has (dev_change_name). Only for a namespace in which
 * LOOPBACK_IFINDEX is LOOPBACK_NAME. */
bool encode_rename_probe(union message *message);

#endif
