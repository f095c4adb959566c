#include "reconcile/apply/hints.h"

#include "kernel/link_kind.h"

#include <errno.h>

#define BIT(n) (1u << (n))

#define SETTINGS                                                                                   \
	(BIT(OP_LINK_ALIAS) | BIT(OP_LINK_RENAME) | BIT(OP_LINK_MAC) | BIT(OP_LINK_MTU) |          \
	 BIT(OP_LINK_MODE) | BIT(OP_LINK_BCQUEUELEN) | BIT(OP_LINK_BCLIM) |                        \
	 BIT(OP_LINK_IPVLAN_FLAG) | BIT(OP_LINK_TXQUEUELEN) | BIT(OP_LINK_PROMISC) |               \
	 BIT(OP_LINK_ALLMULTICAST) | BIT(OP_ALTNAME_ADD) | BIT(OP_LINK_UP) | BIT(OP_ADDR_ADD) |    \
	 BIT(OP_ROUTE_ADD))

/* The schema refuses a next hop outside of the network's subnets. */
#define NEXT_HOP_HINT                                                                                 \
	"another program set LINK down, or removed it or its address in the subnet of the next hop: " \
	"run mvapply again"

static const struct hint hints[] = {
	{EPERM,
	 SETTINGS | BIT(OP_LINK_NEW) | BIT(OP_LINK_DELETE) | BIT(OP_ADDR_DELETE) |
		 BIT(OP_ROUTE_DELETE) | BIT(OP_RULE_ADD) | BIT(OP_RULE_DELETE) |
		 BIT(OP_ALTNAME_DELETE),
	 HINT_ANY, CODE_RIGHTS,
	 "run mvapply as root, or with CAP_NET_ADMIN, CAP_SYS_ADMIN and CAP_NET_RAW"},
	/* inet6_addr_add */
	{EACCES, BIT(OP_ADDR_ADD), HINT_ANY, CODE_KERNEL_VALUE,
	 "IPv6 is disabled on LINK: set its sysctl net.ipv6.conf.IFNAME.disable_ipv6 to 0, or "
	 "remove the network's IPv6 subnet"},
	/* net_ctl_permissions: root and CAP_NET_ADMIN may write whatever has an owner that may. */
	{EACCES, BIT(OP_SYSCTL_SET), HINT_ANY, CODE_KERNEL_VALUE,
	 "the sysctl is read-only: remove it from `sysctls`"},
	{EROFS, BIT(OP_SYSCTL_SET), HINT_ANY, CODE_KERNEL_VALUE,
	 "/proc/sys is mounted read-only for mvapply: run it outside of the container, or without "
	 "ProtectKernelTunables"},
	{ENOENT, BIT(OP_SYSCTL_SET), HINT_ANY, CODE_KERNEL_VALUE,
	 "the kernel has no such sysctl: `ls /proc/sys/net/ipv4/conf/default` lists those of IPv4"},
	{EINVAL, BIT(OP_SYSCTL_SET), HINT_ANY, CODE_KERNEL_VALUE,
	 "the sysctl does not accept this value: most take a number, some within limits"},
	/* rtnl_newlink; vlan_check_real_dev for a parent with NETIF_F_VLAN_CHALLENGED */
	{EOPNOTSUPP, BIT(OP_LINK_NEW), HINT_VLAN, CODE_KERNEL_LACKS,
	 "the kernel has no MODULE (modprobe MODULE, or install the package with its extra "
	 "modules), or PARENT does not support VLANs"},
	{EOPNOTSUPP, BIT(OP_LINK_NEW), HINT_ANY, CODE_KERNEL_LACKS,
	 "the kernel has no MODULE: modprobe MODULE, or install the package with its extra "
	 "modules"},
	/* rtnetlink_rcv_msg, where nothing is registered for RTM_NEWRULE, or not for the family */
	{EOPNOTSUPP, BIT(OP_RULE_ADD), HINT_ANY, CODE_KERNEL_LACKS,
	 "the kernel has no policy routing (CONFIG_IP_MULTIPLE_TABLES, for IPv6 "
	 "CONFIG_IPV6_MULTIPLE_TABLES): remove gw_priority, or the engine's network"},
	/* rtnetlink_rcv_msg before 5.5 */
	{EOPNOTSUPP, BIT(OP_ALTNAME_ADD), HINT_ANY, CODE_KERNEL_LACKS,
	 "the kernel has no altnames (they are from Linux 5.5)"},
	/* netdev_rx_handler_register */
	{EBUSY, BIT(OP_LINK_NEW), HINT_DRIVER, CODE_PARENT_BUSY,
	 "PARENT is in a bridge or bond, or carries links of the other driver: see `ip -d link "
	 "show PARENT`"},
	/* macvlan_open, macvlan_sync_address */
	{EADDRINUSE, BIT(OP_LINK_UP) | BIT(OP_LINK_MAC), HINT_DRIVER, CODE_MAC_BUSY,
	 "another link on PARENT has this MAC address: set another mac_address"},
	/* ipvlan_addr4_validator_event, ipvlan_addr6_validator_event */
	{EADDRINUSE, BIT(OP_ADDR_ADD), HINT_IPVLAN, CODE_ADDRESS_UNMANAGED,
	 "another ipvlan link on PARENT has this address: set another one"},
	{ENODEV, BIT(OP_LINK_NEW), HINT_DRIVER, CODE_MEANWHILE,
	 "parent PARENT does not exist (any more)"},
	{ENODEV, BIT(OP_LINK_NEW), HINT_VLAN, CODE_MEANWHILE,
	 "parent PARENT does not exist (any more)"},
	{ENODEV, SETTINGS, HINT_ANY, CODE_MEANWHILE, "the link is gone: run mvapply again"},
	/* vlan_dev_open; a macvlan or ipvlan link comes up on a parent that is down. */
	{ENETDOWN, BIT(OP_LINK_UP), HINT_VLAN, CODE_PARENT_DOWN,
	 "its parent is down: ip link set PARENT up"},
	{ENETUNREACH, BIT(OP_ROUTE_ADD), HINT_ANY, CODE_ROUTE_UNREACHABLE, NEXT_HOP_HINT},
	{EHOSTUNREACH, BIT(OP_ROUTE_ADD), HINT_ANY, CODE_ROUTE_UNREACHABLE, NEXT_HOP_HINT},
	{EEXIST, BIT(OP_LINK_NEW), HINT_DRIVER, CODE_MEANWHILE,
	 "another program took the name meanwhile: run mvapply again"},
	{EEXIST, BIT(OP_LINK_MOVE) | BIT(OP_LINK_RENAME) | BIT(OP_ALTNAME_ADD), HINT_ANY,
	 CODE_MEANWHILE, "another program took the name meanwhile: run mvapply again"},
	/* vlan_check_real_dev: PARENT has that VLAN already, whatever its name and namespace. */
	{EEXIST, BIT(OP_LINK_NEW), HINT_VLAN, CODE_MEANWHILE,
	 "another program took the name meanwhile (run mvapply again), or PARENT has this VLAN "
	 "already, as a link in a namespace that mvapply cannot find"},
	{EEXIST, BIT(OP_ROUTE_ADD), HINT_ANY, CODE_ROUTE_UNMANAGED,
	 "the namespace has a route to this destination by another link: remove it, or run with "
	 "--adopt"},
	/* macvlan_common_newlink */
	{EINVAL, BIT(OP_LINK_NEW), HINT_DRIVER, CODE_KERNEL_VALUE,
	 "check that the mtu is not larger than that of PARENT, and that PARENT carries no "
	 "passthru link"},
	/* vlan_newlink, macvlan_change_mtu, vlan_dev_change_mtu */
	{EINVAL, BIT(OP_LINK_NEW), HINT_VLAN, CODE_KERNEL_VALUE,
	 "the mtu is larger than that of PARENT"},
	{EINVAL, BIT(OP_LINK_MTU), HINT_DRIVER, CODE_KERNEL_VALUE,
	 "the mtu is larger than that of PARENT"},
	{ERANGE, BIT(OP_LINK_MTU), HINT_VLAN, CODE_KERNEL_VALUE,
	 "the mtu is larger than that of PARENT"},
};

static bool kind_fits(enum hint_kind hint_kind, enum link_kind kind)
{
	switch (hint_kind) {
	case HINT_DRIVER:
		return link_type(kind)->has_driver;
	case HINT_IPVLAN:
		return kind == KIND_IPVLAN;
	case HINT_VLAN:
		return kind == KIND_VLAN;
	case HINT_ANY:
		break;
	}
	return true;
}

const struct hint *hints_all(size_t *ret_count)
{
	*ret_count = sizeof(hints) / sizeof(hints[0]);
	return hints;
}

const struct hint *hint_find(int errnum, enum operation_type type, enum link_kind kind)
{
	for (size_t i = 0; i < sizeof(hints) / sizeof(hints[0]); i++)
		if (hints[i].errnum == errnum && hints[i].operations & BIT(type) &&
		    kind_fits(hints[i].kind, kind))
			return &hints[i];
	return NULL;
}
