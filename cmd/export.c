#include "convert/export.h"
#include "cmd/commands.h"
#include "cmd/exit.h"
#include "cmd/input.h"
#include "cmd/output.h"
#include "cmd/output_text.h"
#include "cmd/yaml_output.h"
#include "reconcile/observe/link_sysctls.h"
#include "reconcile/observe/observe.h"

#include <errno.h>
#include <string.h>

/* The sets of --name and of the files. False: the files were invalid, which was reported. */
static bool names_take(const struct options *options, struct set_names *names)
{
	for (size_t i = 0; i < options->n_names; i++)
		*array_push(options->arena, names->items, names->count) = options->names[i];
	if (!options->n_files)
		return true;
	struct desired *desired = input_read(options, &(uint64_t){0});
	for (size_t i = 0; desired && i < desired->n_sets; i++)
		*array_push(options->arena, names->items, names->count) =
			arena_strdup(options->arena, desired->sets[i].name);
	desired_free(desired);
	return desired != NULL;
}

static bool exported_has(const struct exports *exports, const char *set)
{
	for (size_t i = 0; i < exports->count; i++)
		if (strcmp(exports->items[i].set, set) == 0)
			return true;
	return false;
}

/* A requested set without live links is an error: an empty file would hide it. */
static int absent_check(const struct exports *exports, const struct set_names *names,
			const struct live *live, struct error *error)
{
	for (size_t i = 0; i < names->count; i++) {
		if (exported_has(exports, names->items[i]))
			continue;
		const char *where =
			live_complete(live) ? "here" : "in what could be read of the host";
		error_set(error, ENOENT, "nothing of the set \"%s\" is live %s", names->items[i],
			  where);
		error_hint(error, "`mvapply status` shows what is");
		return error_code(error, CODE_SET_ABSENT);
	}
	return 0;
}

/* The set for untagged links. */
static const char *set_of_untagged(const struct options *options, const struct set_names *names)
{
	if (!options->plan.adopt)
		return NULL;
	return names->count ? names->items[0] : "default";
}

static int write_live(const struct options *options, const struct set_names *names,
		      const struct live *live)
{
	struct arena *arena = options->arena;
	struct error error;
	struct exports exports = export_live(live, origins_find(live, arena), names,
					     set_of_untagged(options, names), arena);
	if (absent_check(&exports, names, live, &error) < 0)
		return run_error(&error, options);
	struct converted converted = {
		.live = live,
		.comment = arena_printf(
			arena,
			"%s Sysctls that are what a new link has here anyway are left out: the "
			"kernel does not tell whether somebody asked for them.",
			options->plan.adopt
				? "What is on this host, mvapply's or not: remove what mvapply is "
				  "not to manage, and `mvapply apply --adopt` takes over the rest "
				  "in place."
				: "What mvapply keeps on this host, with all that it chose written "
				  "out.")};
	for (size_t i = 0; i < exports.n_dissents; i++)
		text_note(exports.dissents[i]);
	for (size_t i = 0; i < exports.count; i++)
		*array_push(arena, converted.documents, converted.count) = exports.items[i].tree;
	return converted_write(&converted, options);
}

int command_export(const struct options *options)
{
	struct set_names names = {0};
	const struct desired nothing = {.arena = options->arena};
	struct error error;
	if (!names_take(options, &names))
		return EXIT_USAGE;
	struct live *live = observe(&nothing, NULL, &error);
	if (!live)
		return run_error(&error, options);
	link_sysctls_observe(live);
	text_unreadable(live);
	int code = write_live(options, &names, live);
	live_free(live);
	return code;
}
