/* The drivers of networks, one row each: what a file can configure of a driver. The kernel's part
 * of a kind of link is in kernel/link_kind.c. */
#ifndef SCHEMA_DRIVER_H
#define SCHEMA_DRIVER_H

#include "schema/words.h"

#define DRIVER_DEFAULT DRIVER_MACVLAN

struct driver_info {
	unsigned modes; /* a mask of 1 << enum link_mode */
	enum link_mode default_mode;
	/* Whose receive handler the kernel puts on the parent, which has one at most
	 * (netdev_rx_handler_register): drivers of one handler share a parent. */
	enum driver handler;
	bool shares_mac;     /* the links have their parent's MAC address */
	bool one_mode;       /* all links of a parent have one mode */
	bool has_bcqueuelen; /* a broadcast queue of a length */
};

const struct driver_info *driver_info(enum driver driver);
bool driver_has_mode(enum driver driver, enum link_mode mode);
/* The mode of that word, among the driver's. */
bool driver_mode_find(enum driver driver, const char *word, enum link_mode *ret);
/* Whether a link of an attachment has its parent's MAC address. */
bool driver_shares_mac(enum driver driver, enum link_mode mode);

/* Whether the host, or anybody else on the parent, does not reach the links directly. */
bool link_mode_isolates(enum link_mode mode);
/* Whether the host routes to the links, which then have neither ARP nor broadcast. */
bool link_mode_routes(enum link_mode mode);

#endif
