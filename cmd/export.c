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
	struct desired *desired = input_read(options);
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

static bool exports_empty(const struct exports *exports)
{
	for (size_t i = 0; i < exports->count; i++)
		if (!exports->items[i].empty)
			return false;
	return true;
}

/* An export of nothing is an error: an empty file would hide it. */
static int nothing_found(const struct options *options, struct error *error)
{
	const bool adopt = options->plan.adopt;
	error_set(error, ENOENT, "nothing to export: %s on this host",
		  adopt ? "there is no macvlan, ipvlan or macvtap link"
			: "mvapply manages no link");
	if (!adopt)
		error_hint(error, "`mvapply export --adopt` also writes the links that mvapply did "
				  "not create");
	return error_code(error, CODE_SET_ABSENT);
}

/* The same for each requested set. A host that could not be read completely has a warning of its
 * own in the output. */
static int absent_check(const struct options *options, const struct exports *exports,
			const struct set_names *names, const struct live *live, struct error *error)
{
	const bool complete = live_complete(live);
	if (!names->count && complete && exports_empty(exports))
		return nothing_found(options, error);
	for (size_t i = 0; i < names->count; i++) {
		if (exported_has(exports, names->items[i]))
			continue;
		error_set(error, ENOENT, "set \"%s\" has no live objects %s", names->items[i],
			  complete ? "on this host" : "in what could be read of the host");
		error_hint(error, "`mvapply status` shows the live sets");
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
	if (absent_check(options, &exports, names, live, &error) < 0)
		return run_error(&error, options);
	struct converted converted = {
		.live = live,
		.comment = arena_printf(
			arena,
			"%s Sysctls with the default value of a new link are left out: the kernel "
			"does not show whether they were set.",
			options->plan.adopt
				? "All networks and attachments on this host, managed by mvapply "
				  "or not. Remove those that mvapply should not manage; `mvapply "
				  "apply --adopt` takes over the others in place."
				: "The networks and attachments that mvapply manages on this host, "
				  "with all allocated values.")};
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
