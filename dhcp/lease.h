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

/* Further routes of a lease are ignored. */
#define LEASE_ROUTES_MAX 32

struct lease_route {
	struct prefix to; /* no host bits; a default route has len 0, others LEASE_LENGTH_MIN or
			     more */
	struct ip via;    /* family 0: the destination is on the LAN */
};

/* Those that glibc's resolver uses (MAXNS in resolv.h), and a bound of the list of domains. */
#define LEASE_SERVERS_MAX 3
#define LEASE_SEARCH_MAX  6
#define LEASE_SEARCH_SIZE 512
/* RFC 1035 2.3.4, as text. */
#define DOMAIN_LENGTH_MAX 253

struct lease {
	struct prefix addr; /* IPv4, with the prefix length of its subnet */
	uint32_t seconds;   /* LEASE_SECONDS_MIN..LEASE_SECONDS_MAX */
	struct lease_route routes[LEASE_ROUTES_MAX]; /* no two to the same destination */
	size_t n_routes;
	struct ip servers[LEASE_SERVERS_MAX]; /* name servers */
	size_t n_servers;
	char search[LEASE_SEARCH_SIZE]; /* domains with spaces between; "": none */
};

/* The client identifier by which a server recognises a client (RFC 2132 9.14): type 0, and up to
 * 254 bytes. */
#define CLIENT_ID_MAX 255

struct client_id {
	uint8_t bytes[CLIENT_ID_MAX];
	uint8_t size;
};

/* Made of the names: "SET/NETWORK/CONTAINER", and "/ATTACHMENT" if that is not NULL; independent of
 * link and host. Names
 * have at most 63 bytes (schema/model.h); longer ones are cut. */
struct client_id client_id_make(const char *set, const char *network, const char *container,
				const char *attachment);

/* Finds a line "LEASE ip=A mask=L lease=S router=R routes=D/R,... staticroutes=D/L,R,...
 * msstaticroutes=..." anywhere in the text, the format of udhcpc_script.h. The routes are those of
 * the options 121 (staticroutes) or 249 (msstaticroutes), or else of 3 (router) and 33 (routes):
 * RFC 3442. Invalid ones are left out: to loopback, multicast or reserved addresses, to the lease's
 * own subnet or address, through its own address, or to more addresses than a /8 other than all.
 * "dns=A,..." are name servers, and "search=DOMAIN,...", or else "domain=DOMAIN", the domains;
 * those that are no unicast addresses or no domain names are left out. False: there is no such
 * line, or the lease is invalid. */
bool lease_parse(const char *text, struct lease *ret);
/* The reason why the lease in the text is invalid; NULL: it is valid, or there is none. */
const char *lease_refusal(const char *text);

/* The router of the lease's default route; family 0: none. */
struct ip lease_router(const struct lease *lease);

/* Whether the text is a domain name of letters, digits, '-' and '_', without a dot at its end. */
bool domain_valid(const char *text);
/* Whether the text is a host name that a server can register for a client (RFC 1123 2.1). */
bool host_name_valid(const char *text);

#endif
