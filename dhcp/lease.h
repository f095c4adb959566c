/* A DHCP lease (RFC 2131), as a client reports it. Pure. */
#ifndef DHCP_LEASE_H
#define DHCP_LEASE_H

#include "lib/ip.h"

#include <stddef.h>

/* Shorter leases are refused: they would be renewed without pause. */
#define LEASE_SECONDS_MIN 30
/* A year: longer leases are renewed as if they ended then. */
#define LEASE_SECONDS_MAX 31536000

/* Shorter prefixes are refused: the subnet's route would cover other destinations of the container,
 * and no LAN is that large. */
#define LEASE_LENGTH_MIN 8

struct lease {
	struct prefix addr; /* IPv4, with the prefix length of its subnet */
	struct ip router;   /* family 0: none */
	uint32_t seconds;   /* LEASE_SECONDS_MIN..LEASE_SECONDS_MAX */
};

/* The client identifier by which a server recognises a client (RFC 2132 9.14): type 0, and up to
 * 254 bytes. */
#define CLIENT_ID_MAX 255

struct client_id {
	uint8_t bytes[CLIENT_ID_MAX];
	uint8_t size;
};

/* Made of set, network and container: "SET/NETWORK/CONTAINER", independent of link and host. Names
 * have at most 63 bytes (schema/model.h); longer ones are cut. */
struct client_id client_id_make(const char *set, const char *network, const char *container);

/* Finds "LEASE ip=A mask=L router=R lease=S
 * ", the format of udhcpc_script.h, anywhere in the text. The router is optional, and an invalid
 * one is left out. False: there is no such line, or the lease is invalid. */
bool lease_parse(const char *text, struct lease *ret);
/* The reason why the lease in the text is invalid; NULL: it is valid, or there is none. */
const char *lease_refusal(const char *text);

/* Whether the text is a host name that a server can register for a client (RFC 1123 2.1). */
bool host_name_valid(const char *text);

#endif
