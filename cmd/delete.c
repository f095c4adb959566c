#include "cmd/commands.h"
#include "cmd/exit.h"
#include "cmd/input.h"
#include "cmd/run.h"

/* Deleting a set is to want it without networks and containers. */
static void empty_sets(struct desired *desired)
{
	for (size_t i = 0; i < desired->n_sets; i++)
		desired->sets[i].n_networks = desired->sets[i].n_containers = 0;
}

int command_delete(const struct options *options)
{
	struct desired *desired = input_read(options, &(uint64_t){0});
	if (!desired)
		return EXIT_USAGE;
	empty_sets(desired);
	struct options unguarded = *options;
	unguarded.plan.unguarded = true;
	int code = run_once(run_apply, desired, &unguarded);
	desired_free(desired);
	return code;
}
