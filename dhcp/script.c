#include "dhcp/script.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool script_meant(void)
{
	return getenv(SCRIPT_VARIABLE) != NULL;
}

/* The first word of the variable: there may be several routers. */
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
