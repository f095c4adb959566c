/* A DHCP lease (RFC 2131), as a client reports it. Pure. */
#ifndef DHCP_LEASE_H
#define DHCP_LEASE_H

#include "lib/ip.h"

#include <stddef.h>

/* Leases shorter than this are refused: they would be renewed all the time. */
#define LEASE_SECONDS_MIN 30
/* A year: longer leases are renewed as if they ended then. */
#define LEASE_SECONDS_MAX 31536000

/* More would take the way of whatever else the container is to reach: no LAN is that large. */
#define LEASE_LENGTH_MIN 8

struct lease {
	struct prefix addr; /* IPv4, with the length of its subnet */
	struct ip router;   /* family 0: none */
	uint32_t seconds;   /* LEASE_SECONDS_MIN..LEASE_SECONDS_MAX */
};

/* By which a server knows a client again (RFC 2132 9.14): type 0, and up to 254 bytes. */
#define CLIENT_ID_MAX 255

struct client_id {
	uint8_t bytes[CLIENT_ID_MAX];
	uint8_t size;
};

/* Of set, network and container: "SET/NETWORK/CONTAINER", whatever link and host it is on. Names
 * have at most 63 bytes (schema/model.h); longer ones are cut. */
struct client_id client_id_make(const char *set, const char *network, const char *container);

/* "LEASE ip=A mask=L router=R lease=S\n", as udhcpc_script.h writes it, anywhere in the text;
 * router and its value may be absent, and one that the subnet cannot have is left out. False: it is
 * not there, or is of no use. */
bool lease_parse(const char *text, struct lease *ret);
/* Why the one in the text is of no use; NULL: it is, or there is none. */
const char *lease_refusal(const char *text);

/* Whether the text is a name that a server can keep for a client (RFC 1123 2.1). */
bool host_name_valid(const char *text);

#endif
