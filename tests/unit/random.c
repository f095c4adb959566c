#include "tests/unit/random.h"

#include <stdbool.h>
#include <stdio.h>

static unsigned random_state;

void random_seed(unsigned seed)
{
	random_state = seed;
}

/* Numerical Recipes' generator: the same everywhere. */
unsigned random_below(unsigned limit)
{
	random_state = random_state * 1664525U + 1013904223U;
	return (random_state >> 16) % limit;
}

static const char *pick(const char *const *words, unsigned count)
{
	return words[random_below(count)];
}

/* Without a gateway, a /29 has four addresses to choose: fewer than the attachments of one network
 * may be. */
static unsigned put_network(FILE *out, char name)
{
	static const char *const parents[] = {"eth0", "eth1", "eth0.10", "eth1.20", "eth9"};
	static const char *const modes[] = {"",
					    ", mode: private",
					    ", mode: passthru",
					    ", driver: ipvlan",
					    ", driver: ipvlan, mode: l3",
					    ", driver: macvtap"};
	static const char *const extras[] = {
		"",           ", mtu: 1400", ", bcqueuelen: 50", ", internal: true", ", host: true",
		", mtu: 9000"};
	unsigned net = random_below(3);
	fprintf(out, "  %c: {parent: %s, subnet: 10.%u.0.0/29", name, pick(parents, 5), net);
	/* One after the other: compilers differ in the order of a call's arguments. */
	const char *extra = pick(extras, 6);
	const char *mode = random_below(2) ? pick(modes, 6) : "";
	fprintf(out, "%s%s", mode, extra);
	if (random_below(2))
		fprintf(out, ", gateway: 10.%u.0.1", net);
	fputs("}\n", out);
	return net;
}

static void put_attachment(FILE *out, char network, const char *address)
{
	static const char *const options[] = {"",
					      "",
					      "",
					      "interface_name: lan0",
					      "interface_name: eth1",
					      "gw_priority: 5",
					      "mac_address: 02:00:00:00:00:01",
					      "mac_address: 02:00:00:00:00:02"};
	const char *option = pick(options, 8);
	fprintf(out, "      %c: {%s%s%s}\n", network, option, *option && *address ? ", " : "",
		address);
}

/* Several attachments may have the same one. */
static const char *pick_address(char text[64], unsigned net)
{
	text[0] = '\0';
	if (random_below(4))
		snprintf(text, 64, "ipv4_address: 10.%u.0.%u", net, 2 + random_below(5));
	return text;
}

static const char *yaml(bool addresses)
{
	char address[64] = "";
	unsigned nets[3];
	static char text[4096];
	static const char *const containers[] = {"web", "db", "ci", "job"};
	FILE *out = fmemopen(text, sizeof(text), "w");
	unsigned networks = 1 + random_below(3);
	fputs("networks:\n", out);
	for (unsigned i = 0; i < networks; i++)
		nets[i] = put_network(out, (char)('a' + i));
	fputs("containers:\n", out);
	for (unsigned i = 0; i < 4; i++) {
		fprintf(out, "  %s:\n    networks:\n", containers[i]);
		for (unsigned k = 0; k < networks; k++)
			if (random_below(2) || k == 0)
				put_attachment(out, (char)('a' + k),
					       addresses ? pick_address(address, nets[k])
							 : address);
	}
	fputc('\0', out);
	fclose(out);
	return text;
}

const char *random_yaml(void)
{
	return yaml(false);
}

const char *random_yaml_addresses(void)
{
	return yaml(true);
}
