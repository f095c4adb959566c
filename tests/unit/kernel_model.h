/* A model of the kernel's changes to links, addresses and routes, and of its refusals, as far as
 * plans need it. tests/kernel/test_model.py runs the same operations on this model and on real
 * kernels, and compares.
 *
 * Links and routes are those of struct live; routes that the kernel creates itself (proto kernel)
 * are not included. Each function returns 0, or the kernel's negative errno without any change.
 * Links are identified by ifindex. */
#ifndef TESTS_UNIT_KERNEL_MODEL_H
#define TESTS_UNIT_KERNEL_MODEL_H

#include "reconcile/plan/plan.h"

/* Creates a link that is down; of `like` its name, kind, parent (ifindex in the host's namespace;
 * 0: none), MAC (unset: any), MTU (0: the parent's, or 1500), mode, bcqueuelen and VLAN count. */
int kernel_link_add(struct live *live, struct live_ns *ns, const struct live_link *like,
		    int *ret_ifindex);
/* Deletes its children, too, in any namespace. */
int kernel_link_delete(struct live *live, struct live_ns *ns, int ifindex);

/* `live_rename`: as kernels from 6.2 on, which rename links that are up. */
int kernel_link_rename(struct live_ns *ns, int ifindex, const char *name, bool live_rename);
int kernel_link_alias(struct live_ns *ns, int ifindex, const char *alias);
int kernel_link_mac(struct live *live, struct live_ns *ns, int ifindex, const struct mac *mac);
int kernel_link_mtu(struct live *live, struct live_ns *ns, int ifindex, uint32_t mtu);
int kernel_link_mode(struct live_ns *ns, int ifindex, enum link_mode mode);
int kernel_link_bcqueuelen(struct live_ns *ns, int ifindex, uint32_t length);
/* Of all links of the parent. */
int kernel_link_bclim(struct live *live, struct live_ns *ns, int ifindex, int limit);
int kernel_link_ipvlan_flag(struct live *live, struct live_ns *ns, int ifindex,
			    enum ipvlan_flag flag);
int kernel_link_txqueuelen(struct live_ns *ns, int ifindex, uint32_t length);
/* IFF_PROMISC or IFF_ALLMULTI. */
int kernel_link_flag(struct live_ns *ns, int ifindex, unsigned flag, bool set);
int kernel_altname_add(struct live_ns *ns, int ifindex, const char *name);
int kernel_altname_delete(struct live_ns *ns, int ifindex, const char *name);
int kernel_link_up(struct live *live, struct live_ns *ns, int ifindex);
int kernel_link_down(struct live_ns *ns, int ifindex);

/* `replace`: an existing address gets another protocol (NLM_F_REPLACE). */
int kernel_addr_add(struct live *live, struct live_ns *ns, int ifindex, const struct prefix *addr,
		    uint8_t proto, bool replace);
int kernel_addr_delete(struct live_ns *ns, int ifindex, const struct prefix *addr);

/* `replace`: instead of one to the same destination (NLM_F_REPLACE). */
int kernel_route_add(struct live_ns *ns, int ifindex, const struct link_route *route, uint8_t proto,
		     bool replace);
int kernel_route_delete(struct live_ns *ns, int ifindex, const struct link_route *route);

/* A rule of mvapply's protocol. */
int kernel_rule_add(struct live_ns *ns, const struct policy_rule *rule);
int kernel_rule_delete(struct live_ns *ns, const struct policy_rule *rule);

#endif
