/* Detects which kinds of links the kernel can create, and whether it has policy routing. */
#ifndef KERNEL_KERNEL_FEATURES_H
#define KERNEL_KERNEL_FEATURES_H

#include "kernel/link.h"
#include "lib/error.h"

/* Requests a link of each kind in `kinds` (a mask of 1 << enum link_kind) without an attribute that
 * the kind requires. The kernel creates nothing and answers EOPNOTSUPP if the kind is unknown
 * (rtnl_newlink, which loads the kind's module if there is one), otherwise with the error of the
 * kind's own validation. Sets the mask of the missing kinds. Returns 0, or a negative errno: -EPERM
 * without CAP_NET_ADMIN. */
int feature_missing_kinds(unsigned kinds, unsigned *ret_missing, struct error *error);

/* Sets whether the kernel has IFLA_MACVLAN_BC_CUTOFF (6.4). The request has the attribute with a
 * size that its policy refuses with ERANGE (validate_nla), before the link's own validation refuses
 * the rest; an older kernel skips the attribute. Without CAP_NET_ADMIN or macvlan nobody
 * knows: true. Returns 0, or a negative errno. */
int feature_bclim(bool *ret, struct error *error);

/* Sets whether the kernel lists rules of policy routing: it answers EOPNOTSUPP without them
 * (rtnetlink_rcv_msg). Returns 0, or a negative errno. */
int feature_policy_routing(bool *ret, struct error *error);

#endif
