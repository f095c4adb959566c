#include "convert/compose_project.h"

#include "convert/compose_env.h"
#include "convert/compose_internal.h"
#include "convert/compose_merge.h"
#include "convert/compose_yaml.h"
#include "convert/json_read.h"
#include "lib/display_width.h"
#include "lib/printable.h"
#include "schema/source_text.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>

#define NOTES_MAX 100
/* Bytes that all expansions of variables together may write. */
#define EXPANDED_MAX ((size_t)16 << 20)

void compose_note(struct loader *loader, const char *place, const char *format, ...)
{
	struct compose_project *project = loader->project;
	char text[400];
	va_list args;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	text_make_printable(text);
	if (project->n_notes > NOTES_MAX)
		return;
	const char *note = project->n_notes < NOTES_MAX
				   ? arena_printf(loader->arena, "%.200s: %s", place, text)
				   : "further values were not resolved";
	*array_push(loader->arena, project->notes, project->n_notes) = note;
}

static void expansion_problem(void *data, const char *place, const char *text)
{
	compose_note(data, place, "%s", text);
}

const char *compose_path(struct loader *loader, const char *directory, const char *name)
{
	return *name == '/' ? name : arena_printf(loader->arena, "%s/%s", directory, name);
}

const char *compose_directory(struct loader *loader, const char *path)
{
	const char *slash = strrchr(path, '/');
	return slash ? arena_strndup(loader->arena, path, (size_t)(slash - path)) : ".";
}

/* Reads a file that another names. */
static bool file_read(struct loader *loader, const char *path, struct input *ret,
		      const char **ret_problem)
{
	*ret_problem = "too many files are named";
	if (loader->files++ >= COMPOSE_FILES_MAX)
		return false;
	*ret_problem = "files that a Compose file names are not read here";
	return loader->source->read &&
	       loader->source->read(loader->source->data, path, ret, ret_problem);
}

json_t *compose_documents(struct loader *loader, const char *place, const char *path)
{
	struct input input;
	struct error error;
	const char *problem;
	json_t *documents = NULL;
	if (!file_read(loader, path, &input, &problem))
		compose_note(loader, place, "%s is not read: %s", path,
			     problem ? problem : "there is no such file");
	else if (!(documents = compose_yaml_read(&input, &error)))
		compose_note(loader, place, "%s", error.text);
	return documents;
}

void compose_env(struct loader *loader, const char *path, bool optional, const json_t *environment,
		 json_t *variables)
{
	struct input input;
	const char *problem;
	if (optional && !loader->source->read)
		return;
	if (!file_read(loader, path, &input, &problem)) {
		if (!optional || problem)
			compose_note(loader, path, "it is not read: %s",
				     problem ? problem : "there is no such file");
		return;
	}
	loader->interpolation.variables = variables;
	env_file_read(&loader->interpolation, path,
		      arena_strndup(loader->arena, input.bytes, input.size), environment,
		      variables);
}

json_t *compose_document_merge(struct loader *loader, const struct compose_place *at, json_t *root,
			       json_t *document)
{
	compose_document_prepare(loader, document);
	compose_include(loader, at, document);
	compose_extend(loader, at, document);
	return compose_merge(root, document, COMPOSE_FILE);
}

/* The variables of the environment, and those of `.env` beside the files. */
static json_t *variables_read(struct loader *loader)
{
	const struct compose_source *source = loader->source;
	json_t *variables = json_object();
	json_object_update(variables, (json_t *)(uintptr_t)source->environment);
	if (!json_is_yes(variables, "COMPOSE_DISABLE_ENV_FILE"))
		compose_env(loader, compose_path(loader, source->directory, ".env"), true,
			    source->environment, variables);
	return variables;
}

/* Of several, the last file's. */
static const char *declared_name(struct loader *loader, const json_t *files)
{
	const char *name = NULL;
	for (size_t i = 0; i < json_array_size(files); i++)
		for (size_t k = 0; k < json_array_size(json_array_get(files, i)); k++) {
			const char *text =
				json_text_at(json_array_get(json_array_get(files, i), k), "name");
			name = text && *text ? text : name;
		}
	return name ? interpolate_text(&loader->interpolation, "name", name) : NULL;
}

static const char *project_name(struct loader *loader, json_t *variables, const json_t *files)
{
	const char *name = json_text_at(variables, "COMPOSE_PROJECT_NAME");
	if (!name || !*name)
		name = declared_name(loader, files);
	if (!name || !*name)
		name = loader->source->project;
	/* The variable that is replaced may hold the name. */
	name = arena_strdup(loader->arena, name);
	json_object_set_new(variables, "COMPOSE_PROJECT_NAME", json_string(name));
	return name;
}

/* "debug, test", as a set. */
static json_t *profiles_read(struct loader *loader, const json_t *variables)
{
	const char *text = json_text_at(variables, "COMPOSE_PROFILES");
	json_t *profiles = json_object();
	while (text && *text) {
		text += strspn(text, ", ");
		const size_t length = strcspn(text, ",");
		const char *name = arena_strndup(loader->arena, text, length);
		if (length)
			json_object_set_new(profiles, name, json_true());
		text += length;
	}
	return profiles;
}

/* Compose takes these files where none are named; a file that is named here may not be one of them.
 */
static void files_note(struct loader *loader, const json_t *variables)
{
	const char *files = json_text_at(variables, "COMPOSE_FILE");
	if (loader->source->found && files && *files)
		compose_note(
			loader, "COMPOSE_FILE",
			"Compose would read %s here; if you named other files, import these instead",
			files);
}

static int files_parse(const struct compose_source *source, json_t *files, struct error *error)
{
	for (size_t i = 0; i < source->n_inputs; i++) {
		const struct input *input = &source->inputs[i];
		json_t *documents = compose_yaml_read(input, error);
		if (!documents)
			return -EINVAL;
		json_array_append_new(files, documents);
		for (size_t k = 0; k < json_array_size(documents); k++) {
			if (json_is_object(json_array_get(documents, k)))
				continue;
			error_set(error, EINVAL,
				  "%s is not a Compose file: its top level is not a map",
				  input->file);
			error_hint(error,
				   "a Compose file has `services` and `networks` at its top");
			return error_code(error, CODE_IMPORT_FILE);
		}
	}
	return 0;
}

static json_t *files_merge(struct loader *loader, const json_t *files)
{
	json_t *root = json_object();
	for (size_t i = 0; i < json_array_size(files); i++) {
		const struct compose_place at = {.file = loader->source->inputs[i].file,
						 .directory = loader->source->directory};
		json_t *documents = json_array_get(files, i);
		for (size_t k = 0; k < json_array_size(documents); k++)
			root = compose_document_merge(loader, &at, root,
						      json_incref(json_array_get(documents, k)));
	}
	return root;
}

int compose_project_read(const struct compose_source *source, struct arena *arena,
			 struct compose_project *ret, struct error *error)
{
	struct loader loader = {.arena = arena, .source = source, .project = ret};
	json_t *files = json_array();
	*ret = (struct compose_project){0};
	const int status = files_parse(source, files, error);
	if (status == 0) {
		loader.interpolation = (struct interpolation){.arena = arena,
							      .problem = expansion_problem,
							      .data = &loader,
							      .budget = EXPANDED_MAX};
		loader.extended = json_object();
		json_t *variables = variables_read(&loader);
		loader.interpolation.variables = variables;
		ret->name = project_name(&loader, variables, files);
		ret->profiles = profiles_read(&loader, variables);
		files_note(&loader, variables);
		ret->root = files_merge(&loader, files);
		json_decref(variables);
		json_decref(loader.extended);
	}
	json_decref(files);
	return status;
}
