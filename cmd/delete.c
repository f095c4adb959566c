#include "cmd/commands.h"
#include "cmd/exit.h"
#include "cmd/incomplete.h"
#include "cmd/input.h"
#include "cmd/output.h"
#include "cmd/run.h"
#include "cmd/service_socket.h"
#include "kernel/parent_mark.h"

#include <errno.h>
#include <string.h>

/* Other containers' namespaces are found without an engine, and so are the links in them, by their
 * owner tags. The namespace of a container is needed only for a link whose parent was moved away.
 * `live` NULL: unknown. */
static bool needs_engine(const struct live *live, const char *set, const char *container)
{
	for (size_t i = 0; live && i < live->n_namespaces; i++)
		for (size_t k = 0; k < live->namespaces[i]->n_links; k++) {
			const struct live_link *link = &live->namespaces[i]->links[k];
			if (link->tag.role == ROLE_ATTACH && live_parent_away(link) &&
			    strcmp(link->tag.set, set) == 0 &&
			    strcmp(link->tag.container, container) == 0)
				return true;
		}
	return !live;
}

static bool is_engines(const struct container *container)
{
	return container->source_kind == SOURCE_DOCKER || container->source_kind == SOURCE_PODMAN;
}

/* What the files declare, which empty_sets leaves as it is. */
static const struct desired *declared_copy(const struct desired *desired)
{
	struct desired *copy = arena_alloc(desired->arena, sizeof(*copy));
	*copy = *desired;
	copy->sets = arena_alloc(desired->arena, desired->n_sets * sizeof(*copy->sets));
	for (size_t s = 0; s < desired->n_sets; s++) {
		struct set *set = &copy->sets[s];
		*set = desired->sets[s];
		set->containers =
			arena_alloc(desired->arena, set->n_containers * sizeof(*set->containers));
		for (size_t i = 0; i < set->n_containers; i++)
			set->containers[i] = desired->sets[s].containers[i];
	}
	return copy;
}

/* Of the containers of engines, keeps those that must be queried. */
static void empty_set(struct set *set, const struct live *live)
{
	size_t count = 0;
	set->n_networks = 0;
	for (size_t i = 0; i < set->n_containers; i++) {
		struct container *container = &set->containers[i];
		container->n_attachments = 0;
		if (!is_engines(container) || needs_engine(live, set->name, container->name))
			set->containers[count++] = *container;
	}
	set->n_containers = count;
}

/* A set is deleted by planning it without networks and attachments. Its containers' namespaces
 * decide which links are the set's. */
static void empty_sets(struct desired *desired)
{
	struct error ignored;
	struct live *live = desired_any_container(desired, is_engines)
				    ? observe_owner_tags(NULL, &ignored)
				    : NULL;
	for (size_t s = 0; s < desired->n_sets; s++)
		empty_set(&desired->sets[s], live);
	live_free(live);
}

static bool has_set(const struct desired *desired, const char *name)
{
	for (size_t i = 0; i < desired->n_sets; i++)
		if (strcmp(desired->sets[i].name, name) == 0)
			return true;
	return false;
}

/* Sets that need not have a file. */
static struct desired *named_sets(const struct options *options)
{
	struct arena *arena = arena_new();
	struct desired *desired = arena_alloc(arena, sizeof(*desired));
	*desired = (struct desired){.arena = arena, .host = options->host};
	for (size_t i = 0; i < options->n_names; i++)
		if (!has_set(desired, options->names[i]))
			array_push(arena, desired->sets, desired->n_sets)->name = options->names[i];
	return desired;
}

/* Whether a parent is set up for the set: `manage_parent`. */
static bool set_marks(const struct live_link *link, const char *name)
{
	for (size_t i = 0; i < link->n_altnames; i++) {
		const struct parent_mark mark = parent_mark_parse(link->altnames[i]);
		if (mark.kind == PARENT_MARK_FOR && strcmp(mark.set, name) == 0)
			return true;
	}
	return false;
}

/* A set without live links is a mistake in its name, which no file can detect. */
static bool set_live(const struct live *live, const char *name)
{
	for (size_t i = 0; i < live->n_namespaces; i++)
		for (size_t k = 0; k < live->namespaces[i]->n_links; k++)
			if (owner_tag_has_set(&live->namespaces[i]->links[k].tag, name) ||
			    set_marks(&live->namespaces[i]->links[k], name))
				return true;
	return false;
}

static void fault_absent(struct run *run, const struct options *options)
{
	for (size_t i = 0; i < options->n_names && !run->fault.code; i++) {
		if (set_live(run->live, options->names[i]))
			continue;
		error_set(&run->fault, ENOENT, "set \"%s\" has no live objects on this host",
			  options->names[i]);
		error_hint(&run->fault, "`mvapply status` shows the live sets");
		error_code(&run->fault, CODE_SET_ABSENT);
		run->exit_code = EXIT_FAILED;
	}
}

/* A link of the set may be in a container whose engine does not report its namespace. */
static void fault_silent(struct run *run)
{
	for (size_t i = 0; i < run->live->n_containers && !run->fault.code; i++) {
		const struct container_lookup *lookup = &run->live->container_lookups[i];
		if (lookup->state != CONTAINER_PENDING || lookup->code != CODE_ENGINE_SILENT)
			continue;
		incomplete_container(lookup, &run->fault);
		run->exit_code = EXIT_FAILED;
	}
}

/* `declared`: by the files; NULL: the sets are given by their names. */
static int delete_sets(const struct desired *desired, const struct desired *declared,
		       const struct options *options)
{
	struct run run;
	struct error error;
	struct options unguarded = *options;
	run_pass *pass = options->dry_run ? run_observe : run_apply;
	unguarded.plan.unguarded = true;
	unguarded.plan.declared = declared;
	if (pass(&run, desired, &unguarded, &error) < 0)
		return run_error(&error, options);
	fault_absent(&run, options);
	fault_silent(&run);
	int code = run_conclude(&run, desired, &unguarded);
	run_free(&run);
	return code;
}

static int names_and_files(const struct options *options)
{
	return usage_error(options, CODE_TOGETHER,
			   "run `mvapply delete -f PATH` first, then `mvapply delete --name SET`",
			   "--name and -f cannot be combined");
}

int command_delete(const struct options *options)
{
	if (options->n_names && options->n_files)
		return names_and_files(options);
	struct desired *desired = options->n_names ? named_sets(options) : input_read(options);
	if (!desired)
		return EXIT_USAGE;
	const struct desired *declared = options->n_names ? NULL : declared_copy(desired);
	empty_sets(desired);
	struct options reporting = *options;
	struct keepers keepers = {0};
	if (!options->dry_run)
		keepers = keepers_report(desired, &reporting);
	int code = delete_sets(desired, declared, &reporting);
	keepers_free(&keepers);
	desired_free(desired);
	return code;
}
