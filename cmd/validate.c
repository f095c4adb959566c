#include "cmd/commands.h"
#include "cmd/exit.h"
#include "cmd/input.h"
#include "cmd/output_json.h"

#include <stdio.h>

static size_t count_attachments(const struct set *set)
{
	size_t count = 0;
	for (size_t i = 0; i < set->n_containers; i++)
		count += set->containers[i].n_attachments;
	return count;
}

static const char *plural(size_t count)
{
	return count == 1 ? "" : "s";
}

static void report(const struct desired *desired)
{
	for (size_t i = 0; i < desired->n_sets; i++) {
		const struct set *set = &desired->sets[i];
		size_t attachments = count_attachments(set);
		printf("Set \"%s\" is valid: %zu network%s, %zu container%s, %zu attachment%s.\n",
		       set->name, set->n_networks, plural(set->n_networks), set->n_containers,
		       plural(set->n_containers), attachments, plural(attachments));
	}
}

int command_validate(const struct options *options)
{
	struct desired *desired = input_read(options);
	if (!desired)
		return EXIT_USAGE;
	if (options->output == OUTPUT_JSON)
		json_finish(json_pack("{s:[]}", "errors"), EXIT_CONVERGED);
	else if (!options->quiet)
		report(desired);
	desired_free(desired);
	return EXIT_CONVERGED;
}
