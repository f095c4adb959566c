/* The output of a DHCP client, which contains data of a server on the LAN. No accepted lease has
 * values that no LAN has, and no error text contains control characters. */
#include "dhcp/client.h"
#include "tests/fuzz/fuzz.h"

#include <string.h>

static void lease_check(const struct lease *lease)
{
	HOLDS(lease->addr.ip.family == AF_INET && lease->addr.len >= 1 && lease->addr.len <= 32);
	HOLDS(prefix_usable(&lease->addr, &lease->addr.ip));
	HOLDS(lease->addr.ip.bytes[0] != 127 && lease->addr.ip.bytes[0] < 224);
	HOLDS(lease->seconds >= LEASE_SECONDS_MIN && lease->seconds <= LEASE_SECONDS_MAX);
	HOLDS(!lease->router.family || !ip_equal(&lease->router, &lease->addr.ip));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct dhcp_request request = {.operation = DHCP_LEASE};
	char *output = malloc(size + 1);
	if (!output)
		return 0;
	memcpy(output, data, size);
	output[size] = '\0';
	const struct dhcp_answer answer = client_answer(&request, 0, output);
	if (answer.result == DHCP_DONE)
		lease_check(&answer.lease);
	HOLDS(strlen(answer.text) < sizeof(answer.text));
	for (const char *at = answer.text; *at; at++)
		HOLDS(*at >= ' ' && *at <= '~');
	free(output);
	return 0;
}
