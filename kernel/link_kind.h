/* The kinds of links, one row each: the kind's name in rtnetlink and iproute2, the attributes of
 * its IFLA_INFO_DATA, its kernel module, and the driver that it implements. The configuration of a
 * driver, and the drivers that can share a parent, are in schema/driver.c. */
#ifndef KERNEL_LINK_KIND_H
#define KERNEL_LINK_KIND_H

#include "kernel/link.h"
#include "schema/driver.h"

/* IFLA_MACVLAN_BC_CUTOFF, under another name: the headers have it as a member of an enum from
 * Linux 6.4 on. */
#define MACVLAN_BC_CUTOFF 9

/* MACVLAN_DEFAULT_BC_QUEUE_LEN in drivers/net/macvlan.c. */
#define BCQUEUELEN_DEFAULT 1000

enum link_value {
	VALUE_MODE,
	VALUE_BCQUEUELEN,
	VALUE_BCLIM,
	VALUE_IPVLAN_FLAG,
	VALUE_VLAN,
	VALUE_VLAN_PROTOCOL
};

/* One attribute of IFLA_INFO_DATA. */
struct link_attribute {
	uint16_t type;         /* for example IFLA_MACVLAN_MODE; 0 ends a list */
	uint16_t size;         /* bytes: 2 or 4 */
	enum link_value value; /* the link's value that it holds */
	const char *word;      /* iproute2's name; "": its value stands alone */
};

/* Greater than the highest attribute type of any row. */
#define LINK_ATTRIBUTE_TYPES 16

struct link_type {
	const char *name;   /* IFLA_INFO_KIND: "macvlan", "vlan" */
	const char *module; /* the kernel module's name */
	bool has_parent;    /* IFLA_LINK names its lower device */
	bool has_driver;    /* a kind for attachments: */
	enum driver driver;
	uint32_t txqueuelen; /* packets: of a new link */
	struct link_attribute attributes[4];
};

/* The row of the kind; KIND_OTHER's has the name "". */
const struct link_type *link_type(enum link_kind kind);
enum link_kind link_kind_find(const char *name);
/* "macvlan", "vlan"; "" for KIND_OTHER. */
const char *link_kind_name(enum link_kind kind);
enum link_kind link_kind_of_driver(enum driver driver);
/* Whether all links of the kind have their parent's MAC address. */
bool link_kind_shares_mac(enum link_kind kind);
/* The receive handler that the link registers on its parent. False: it registers none. */
bool link_handler(const struct live_link *link, enum driver *ret);

/* False: the kernel chooses the value for a new link. */
bool link_value_given(const struct link_spec *spec, enum link_value value);
/* The value in the kernel's encoding. */
uint32_t link_value_get(const struct link_spec *spec, enum link_value value);
/* Decodes the kernel's value. False: the value is invalid for the kind. A mode that the input does
 * not support is valid and not known. */
bool link_value_set(struct live_link *link, enum link_value value, uint32_t number);
/* The arguments of iproute2 after `type`: "macvlan mode bridge bcqueuelen 50". */
const char *link_type_text(struct arena *arena, const struct link_spec *spec);

#endif
