#include "dhcp/udhcpc_script.h"

#include "dhcp/lease.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Two addresses with a slash. */
#define ADDRESS_LENGTH_MAX 31
#define ADDRESS_CHARACTERS "0123456789./"
#define NAME_CHARACTERS    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_."

bool script_meant(int argc, char **argv)
{
	static const char *const events[] = {"deconfig", "bound", "renew", "leasefail", "nak"};
	const char *variable = getenv(SCRIPT_VARIABLE);
	if (!variable || strcmp(variable, "1") != 0 || argc != 2 ||
	    strcmp(argv[0], SCRIPT_PATH) != 0)
		return false;
	for (size_t i = 0; i < sizeof(events) / sizeof(events[0]); i++)
		if (strcmp(argv[1], events[i]) == 0)
			return true;
	return false;
}

/* A variable that udhcpc sets for an option of the lease. */
static const struct variable {
	const char *name;
	size_t words; /* the number that is printed */
	bool names;   /* domain names; otherwise addresses */
} variables[] = {
	{"ip", 1, false},
	{"mask", 1, false},
	{"router", 1, false},
	{"lease", 1, false},
	{"routes", LEASE_ROUTES_MAX, false},
	{"staticroutes", 2 * LEASE_ROUTES_MAX, false},
	{"msstaticroutes", 2 * LEASE_ROUTES_MAX, false},
	{"dns", LEASE_SERVERS_MAX, false},
	{"domain", 1, true},
	{"search", LEASE_SEARCH_MAX, true},
};

/* The first words, separated by commas. A word that is longer than one of its kind, or has other
 * characters, ends the list: the server chooses it. */
static void variable_print(const struct variable *variable)
{
	const char *at = getenv(variable->name);
	for (size_t i = 0; at && *at && i < variable->words; i++) {
		const size_t size =
			strspn(at, variable->names ? NAME_CHARACTERS : ADDRESS_CHARACTERS);
		const size_t max = variable->names ? DOMAIN_LENGTH_MAX : ADDRESS_LENGTH_MAX;
		if (!size || size > max || (at[size] && at[size] != ' '))
			break;
		if (i == 0)
			printf(" %s=", variable->name);
		printf("%s%.*s", i ? "," : "", (int)size, at);
		at += size + strspn(at + size, " ");
	}
}

int script_run(const char *event)
{
	if (strcmp(event, "bound") != 0 && strcmp(event, "renew") != 0)
		return 0;
	fputs("LEASE", stdout);
	for (size_t i = 0; i < sizeof(variables) / sizeof(variables[0]); i++)
		variable_print(&variables[i]);
	putchar('\n');
	return fflush(stdout) == 0 ? 0 : 1;
}
