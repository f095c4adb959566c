/* SipHash-1-3. */
#include "lib/keyed_hash.h"

#include <stdbool.h>
#include <string.h>

static uint64_t rotate(uint64_t value, unsigned bits)
{
	return value << bits | value >> (64 - bits);
}

static void sip_round(uint64_t v[4])
{
	v[0] += v[1];
	v[1] = rotate(v[1], 13) ^ v[0];
	v[0] = rotate(v[0], 32);
	v[2] += v[3];
	v[3] = rotate(v[3], 16) ^ v[2];
	v[0] += v[3];
	v[3] = rotate(v[3], 21) ^ v[0];
	v[2] += v[1];
	v[1] = rotate(v[1], 17) ^ v[2];
	v[2] = rotate(v[2], 32);
}

uint64_t keyed_hash(uint64_t secret, const void *bytes, size_t size)
{
	uint64_t v[4] = {secret ^ 0x736f6d6570736575, 0x646f72616e646f6d,
			 secret ^ 0x6c7967656e657261, 0x7465646279746573};
	const unsigned char *next = bytes;
	size_t left = size;

	for (bool last = false; !last;) {
		uint64_t word = 0;
		size_t piece = left < sizeof(word) ? left : sizeof(word);
		memcpy(&word, next, piece);
		last = piece < sizeof(word);
		if (last)
			word |= (uint64_t)size << 56;
		v[3] ^= word;
		sip_round(v);
		v[0] ^= word;
		next += piece;
		left -= piece;
	}
	v[2] ^= 0xff;
	for (unsigned i = 0; i < 3; i++)
		sip_round(v);
	return v[0] ^ v[1] ^ v[2] ^ v[3];
}

uint64_t keyed_hash_text(uint64_t secret, const char *text)
{
	return keyed_hash(secret, text, strlen(text) + 1);
}
