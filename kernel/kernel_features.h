/* Detects which kinds of links the kernel can create, and which features it has. */
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

/* What not every kernel has. */
enum kernel_feature {
	FEATURE_BCQUEUELEN,    /* IFLA_MACVLAN_BC_QUEUE_LEN (5.11) */
	FEATURE_BCLIM,         /* IFLA_MACVLAN_BC_CUTOFF (6.4) */
	FEATURE_ADDR_PROTOCOL, /* IFA_PROTO (5.18) */
	FEATURE_ALTNAME,       /* RTM_NEWLINKPROP (5.5) */
	FEATURE_RENAME_UP,     /* renaming a link that is up (6.2): only where the loopback is up
				  and LOOPBACK_IFINDEX is LOOPBACK_NAME */
	N_FEATURES
};

#define FEATURE_BIT(feature) (1U << (feature))

/* Sets the mask of those of `features` (FEATURE_BIT) that the kernel lacks, by one request each,
 * which changes nothing. An attribute with a wrong size is refused with ERANGE if the kernel knows
 * it (validate_nla), which leaves a line in the kernel's log; otherwise the kernel skips it and
 * refuses the request for another reason. Without CAP_NET_ADMIN, or for bcqueuelen and bclim
 * without macvlan, nobody knows: the feature is not missing. Returns 0, or a negative errno. */
int features_missing(unsigned features, unsigned *ret_missing, struct error *error);

/* Sets whether the kernel lists rules of policy routing: it answers EOPNOTSUPP without them
 * (rtnetlink_rcv_msg). Returns 0, or a negative errno. */
int feature_policy_routing(bool *ret, struct error *error);

#endif
