/* The drivers of networks, one row each: the configuration that a driver supports. The kernel's
 * part of a kind of link is in kernel/link_kind.c. */
#ifndef SCHEMA_DRIVER_H
#define SCHEMA_DRIVER_H

#include "schema/words.h"

#define DRIVER_DEFAULT DRIVER_MACVLAN

struct driver_info {
	unsigned modes; /* a mask of 1 << enum link_mode */
	enum link_mode default_mode;
	/* The receive handler that the kernel registers on the parent, which has at most one
	 * (netdev_rx_handler_register): drivers with the same handler can share a parent. */
	enum driver handler;
	bool shares_mac;      /* the links have their parent's MAC address */
	bool one_mode;        /* all links of a parent have one mode */
	bool broadcast_queue; /* it has a queue for broadcast: `bcqueuelen` and `bclim` */
	bool has_flag;        /* `ipvlan_flag` */
};

const struct driver_info *driver_info(enum driver driver);
bool driver_has_mode(enum driver driver, enum link_mode mode);
/* The driver's mode with that name. */
bool driver_mode_find(enum driver driver, const char *word, enum link_mode *ret);
/* Whether an attachment's link has its parent's MAC address. */
bool driver_shares_mac(enum driver driver, enum link_mode mode);

/* Whether neither the host nor other links of the parent reach the links directly. */
bool link_mode_isolates(enum link_mode mode);
/* Whether the host routes to the links, which then have neither ARP nor broadcast. */
bool link_mode_routes(enum link_mode mode);

#endif
