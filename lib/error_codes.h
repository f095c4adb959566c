/* The stable code of each kind of error. It is printed behind the text as [MV0201], is part of the
 * JSON, and is explained by `mvapply explain MV0201` and in the reference. A number is never
 * reused, even when its error is removed. */
#ifndef LIB_ERROR_CODES_H
#define LIB_ERROR_CODES_H

#include "lib/arena.h"

#include <stddef.h>

enum code {
	CODE_NONE,
	/* reading */
	CODE_FILE = 101,
	CODE_TRUST = 102,
	CODE_ENCODING = 103,
	CODE_YAML = 104,
	CODE_YAML_KEY = 105,
	CODE_YAML_UNSUPPORTED = 106,
	CODE_TOO_MUCH = 107,
	CODE_SAVED_PLAN = 108,
	/* one key and its value */
	CODE_UNKNOWN_KEY = 201,
	CODE_MISSING_KEY = 202,
	CODE_WRONG_KIND = 203,
	CODE_EMPTY = 204,
	CODE_NAME = 205,
	CODE_TEXT = 206,
	CODE_NUMBER = 207,
	CODE_WORD = 208,
	CODE_ADDRESS = 209,
	CODE_HOST_BITS = 210,
	CODE_MAC = 211,
	/* a network */
	CODE_PARENT = 301,
	CODE_DRIVER = 302,
	CODE_SUBNET = 303,
	CODE_MTU = 304,
	CODE_HOST_ACCESS = 305,
	CODE_PARENT_SHARED = 306,
	CODE_RANGE_OVERLAP = 307,
	CODE_RANGE_EXCLUDED = 308,
	/* addresses and attachments */
	CODE_ADDRESS_OUTSIDE = 401,
	CODE_ADDRESS_RESERVED = 402,
	CODE_TWICE_ON_LAN = 403,
	CODE_MAC_IPVLAN = 404,
	CODE_INTERFACE_IN_USE = 405,
	CODE_UNKNOWN_NETWORK = 406,
	CODE_PASSTHRU = 407,
	CODE_ROUTE = 408,
	CODE_SOURCE = 409,
	CODE_DECLARED_TWICE = 410,
	CODE_DHCP = 411,
	CODE_ACCEPT_RA = 412,
	/* several hosts */
	CODE_MULTI_HOST_UNASSIGNED = 501,
	CODE_MULTI_HOST_ADDRESS = 502,
	CODE_MULTI_HOST_OTHER_HOST = 503,
	/* the host does not fit: a step is blocked */
	CODE_PARENT_ABSENT = 601,
	CODE_PARENT_STACKED = 602,
	CODE_PARENT_PORT = 603,
	CODE_PARENT_DOWN = 604,
	CODE_PARENT_MTU = 605,
	CODE_VLAN_NAME = 606,
	CODE_OWNER_TAG_FULL = 607,
	CODE_ADDRESS_IN_USE = 608,
	CODE_SUBNET_FULL = 609,
	CODE_IDENTITY_IN_USE = 610,
	CODE_TWICE = 611,
	CODE_PARENT_TYPE = 612,
	/* the location of a container */
	CODE_NAMESPACE = 701,
	CODE_NAMESPACE_HOST = 702,
	CODE_NAMESPACE_OTHER = 703,
	CODE_ENGINE_SILENT = 704,
	CODE_ENGINE_PLACE = 705,
	CODE_ENGINE_ANSWER = 706,
	CODE_ENGINE_LIBRARY = 707,
	CODE_SERVICE_SCALED = 708,
	CODE_NAMESPACE_OWNER = 709,
	/* conflicts, refused on the host and blocked in a container; guards */
	CODE_LINK_UNMANAGED = 801,
	CODE_MAC_UNMANAGED = 802,
	CODE_ADDRESS_UNMANAGED = 803,
	CODE_ROUTE_UNMANAGED = 804,
	CODE_PARENT_UNMANAGED = 805,
	CODE_VLAN_UNMANAGED = 806,
	CODE_GUARD = 807,
	CODE_PLAN_STALE = 808,
	CODE_UNCONFIRMED = 809,
	/* failed operations */
	CODE_SYSTEM = 901,
	CODE_RIGHTS = 902,
	CODE_KERNEL_LACKS = 903,
	CODE_PARENT_BUSY = 904,
	CODE_MAC_BUSY = 905,
	CODE_MEANWHILE = 906,
	CODE_ADDRESS_ANSWERED = 907,
	CODE_KERNEL_ANSWER = 908,
	CODE_ROUTE_UNREACHABLE = 909,
	CODE_KERNEL_VALUE = 910,
	CODE_STILL_PENDING = 911,
	CODE_REVERTED = 912,
	CODE_NOT_REVERTED = 913,
	CODE_NOTHING_TO_CONFIRM = 914,
	CODE_SET_ABSENT = 915,
	CODE_DHCP_SILENT = 916,
	CODE_DHCP_CLIENT = 917,
	CODE_DHCP_UNFIT = 918,
	CODE_UNREADABLE = 919,
	CODE_LOCKED = 920,
	CODE_JSON = 921,
	CODE_CROWDED = 922,
	CODE_DESCRIPTORS = 923,
	CODE_SET_KEPT = 924,
	CODE_RESOLV_CONF = 925,
	/* the command line */
	CODE_COMMAND = 1001,
	CODE_OPTION = 1002,
	CODE_OPTION_VALUE = 1003,
	CODE_WORDS = 1004,
	CODE_NO_FILE = 1005,
	CODE_TOGETHER = 1006,
	CODE_EXPLAIN = 1007,
	CODE_IMPORT = 1008,
	CODE_IMPORT_FILE = 1009,
	CODE_OCI_STATE = 1010,
	/* doctor --traffic: where nothing passes */
	CODE_TRAFFIC_PARENT = 1101,
	CODE_TRAFFIC_CONTAINER = 1102,
	CODE_TRAFFIC_MAC = 1103,
	CODE_TRAFFIC_IP = 1104,
	CODE_TRAFFIC_SOME = 1105,
	CODE_TRAFFIC_VLAN = 1106,
	CODE_TRAFFIC_GATEWAY = 1107,
	CODE_TRAFFIC_DUPLICATE = 1108,
	CODE_TRAFFIC_SEPARATED = 1109,
	CODE_TRAFFIC_UNASKED = 1110,
	/* a warning */
	CODE_RANGE_ABSENT = 1201,
	CODE_SUBNET_TWICE = 1202,
	CODE_SUBNET_OTHER = 1203,
	CODE_GATEWAY_OWN = 1204,
	CODE_ADDRESS_OF_SET = 1205,
	CODE_LEASE_ROUTE = 1206,
	CODE_POLICY_ADVERTISED = 1207,
	/* a call of the CNI plugin */
	CODE_CNI_VERSION = 1301,
	CODE_CNI_ENVIRONMENT = 1302,
	CODE_CNI_INPUT = 1303,
	CODE_CNI_CONFIGURATION = 1304,
	CODE_CNI_INTERFACE = 1305,
	CODE_CNI_CHECK = 1306,
	CODE_CNI_NETWORK = 1307,
	CODE_CNI_ADDRESS = 1308,
	CODE_CNI_UNREADY = 1309,
	CODE_NETAVARK_REQUEST = 1310,
	/* a call of Docker's network driver */
	CODE_DOCKER_METHOD = 1401,
	CODE_DOCKER_CALL = 1402,
	CODE_DOCKER_NETWORK = 1403,
	CODE_DOCKER_SUBNET = 1404,
	CODE_DOCKER_ADDRESS = 1405,
	CODE_DOCKER_DECLARED = 1406,
	CODE_DOCKER_LINK = 1407,
	CODE_DOCKER_IPAM = 1408,
	CODE_DOCKER_SOCKET = 1409,
	CODE_DOCKER_REPEATED = 1410,
	CODE_DOCKER_DIFFERS = 1411,
	CODE_DOCKER_USED = 1412,
};

/* The exit code that an error of a whole command causes. */
enum code_class {
	CLASS_FAILED,  /* an operation was tried and failed */
	CLASS_USAGE,   /* the command line is wrong */
	CLASS_REFUSED, /* nothing was changed, on purpose */
};

struct code_text {
	enum code code;
	enum code_class code_class;
	const char *title;       /* the problem, in a few words */
	const char *description; /* the cause and the fix; sentences */
};

/* The codes in ascending order; NULL after the last. */
const struct code_text *code_at(size_t index);
enum code_class code_class(enum code code);
/* Writes "MV0201" into the caller's text. */
#define CODE_TEXT_SIZE sizeof("MV0000")
const char *code_format(enum code code, char text[CODE_TEXT_SIZE]);
/* The message followed by its code: "no such link [MV0201]"; unchanged for CODE_NONE. In the
 * arena. */
const char *coded(struct arena *arena, const char *message, enum code code);

#endif
