/* A frame of the LAN during probes and requests for gateways. A reported holder or answer is inside
 * the frame, and this host's own probe for the same address counts as a claim, too. */
#include "kernel/probe_packet.h"
#include "tests/fuzz/fuzz.h"

#include <string.h>

static void own_probe_claims(const struct ip *ip)
{
	uint8_t frame[PROBE_FRAME_MAX];
	const struct mac mac = {.bytes = {2, 0, 0, 0, 0, 1}, .set = true};
	struct mac claimant;
	struct ip claimed;
	size_t size = probe_frame(frame, &mac, ip);
	HOLDS(size <= sizeof(frame));
	HOLDS(probe_frame_claim(frame, size, &claimed, &claimant));
	HOLDS(ip_equal(&claimed, ip) && mac_equal(&claimant, &mac));
}

static void answer_check(const uint8_t *data, size_t size)
{
	struct ip ip, source;
	struct mac mac;
	if (!answer_frame_decode(data, size, &ip, &mac, &source))
		return;
	HOLDS(mac.set && ip.family == source.family);
	HOLDS(memmem(data, size, mac.bytes, sizeof(mac.bytes)));
	HOLDS(memmem(data, size, source.bytes, ip_bits(&source) / 8));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ip ip = {.family = 0};
	struct mac mac = {.set = false};
	answer_check(data, size);
	if (!probe_frame_claim(data, size, &ip, &mac)) {
		HOLDS(!ip.family && !mac.set);
		return 0;
	}
	HOLDS(mac.set && (ip.family == AF_INET || ip.family == AF_INET6));
	HOLDS(memmem(data, size, mac.bytes, sizeof(mac.bytes)));
	HOLDS(memmem(data, size, ip.bytes, ip_bits(&ip) / 8));
	own_probe_claims(&ip);
	return 0;
}
