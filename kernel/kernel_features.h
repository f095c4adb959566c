/* Detects which kinds of links the kernel can create. */
#ifndef KERNEL_KERNEL_FEATURES_H
#define KERNEL_KERNEL_FEATURES_H

#include "kernel/link.h"
#include "lib/error.h"

/* Asks the kernel for a link of each kind in `kinds` (a mask of 1 << enum link_kind) by a request
 * that lacks what the kind needs, which the kernel refuses without making anything: with EOPNOTSUPP
 * where the kind is unknown (rtnl_newlink, which loads the module for it where there is one), and
 * otherwise by the kind's own validation. Sets the mask of those that are missing. Returns 0, or a
 * negative errno: -EPERM without CAP_NET_ADMIN. */
int feature_missing_kinds(unsigned kinds, unsigned *ret_missing, struct error *error);

#endif
