#include "reconcile/plan/link_name.h"

#include "lib/hash.h"

#include <inttypes.h>
#include <net/if.h>
#include <string.h>

const char *derived_name(struct arena *arena, const char *prefix, const char *set, const char *name)
{
	const char *plain = strcmp(set, "default") == 0
				    ? arena_printf(arena, "%s-%s", prefix, name)
				    : arena_printf(arena, "%s-%s.%s", prefix, set, name);
	if (strlen(plain) < IFNAMSIZ)
		return plain;
	uint64_t hash = hash_text(hash_text(HASH_START, set), name);
	return arena_printf(arena, "%s-%08" PRIx32, prefix, (uint32_t)(hash ^ hash >> 32));
}
