/* The doctor's check of the containers: their engines answer, and their network namespaces exist.
 */
#include "cmd/doctor/doctor.h"

#include "schema/words.h"

/* An engine that does not answer, or answers wrongly, is one finding, however many containers it
 * has. */
static bool engine_reported(const struct live *live, size_t number)
{
	const struct container_lookup *lookup = &live->container_lookups[number];
	for (size_t i = 0; lookup->code != CODE_NONE && i < number; i++)
		if (live->container_lookups[i].code == lookup->code &&
		    live->container_lookups[i].container->source_kind ==
			    lookup->container->source_kind)
			return true;
	return false;
}

/* A container that is not running is no problem. */
static void examine_lookup(struct examination *examination, const struct container_lookup *lookup)
{
	if (lookup->code != CODE_NONE)
		finding_add(examination, FINDING_PROBLEM,
			    source_kind_name(lookup->container->source_kind), lookup->reason,
			    lookup->hint)
			->code = lookup->code;
	else if (lookup->hint)
		finding_add(examination, FINDING_WARNING, lookup->container->name, lookup->reason,
			    lookup->hint);
}

/* Those that are refused, or that could not be read, are blocked in the plan. */
const char *examine_containers(struct examination *examination)
{
	const struct live *live = examination->run->live;
	size_t found = 0;
	for (size_t i = 0; i < live->n_containers; i++) {
		const struct container_lookup *lookup = &live->container_lookups[i];
		found += lookup->state == CONTAINER_READY;
		if (lookup->state == CONTAINER_PENDING && !engine_reported(live, i))
			examine_lookup(examination, lookup);
	}
	return live->n_containers ? arena_printf(examination->arena, "%zu of %zu running", found,
						 live->n_containers)
				  : NULL;
}
