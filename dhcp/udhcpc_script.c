#include "dhcp/udhcpc_script.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

/* The first word of the variable: udhcpc lists all routers. */
static void word_print(const char *name)
{
	const char *value = getenv(name);
	if (value)
		printf(" %s=%.*s", name, (int)strcspn(value, " \t\n"), value);
}

int script_run(const char *event)
{
	static const char *const words[] = {"ip", "mask", "router", "lease"};
	if (strcmp(event, "bound") != 0 && strcmp(event, "renew") != 0)
		return 0;
	fputs("LEASE", stdout);
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		word_print(words[i]);
	putchar('\n');
	return fflush(stdout) == 0 ? 0 : 1;
}
