/* `include`: https://github.com/compose-spec/compose-spec/blob/main/14-include.md */
#include "convert/compose_internal.h"

#include "convert/compose_merge.h"
#include "convert/json_read.h"

#include <string.h>

static bool is_remote(const char *path)
{
	return strstr(path, "://") || strncmp(path, "git@", 4) == 0 ||
	       strncmp(path, "oci:", 4) == 0;
}

static bool in_circle(const struct compose_place *at, const char *path)
{
	unsigned depth = 0;
	for (; at; at = at->outer)
		if (++depth > COMPOSE_DEPTH_MAX || strcmp(at->file, path) == 0)
			return true;
	return false;
}

/* A text, or a list of them, as a list; the caller's to json_decref. */
static json_t *as_list(const json_t *json)
{
	json_t *list = json_array();
	if (json_is_string(json))
		json_array_append(list, (json_t *)(uintptr_t)json);
	for (size_t i = 0; i < json_array_size(json); i++)
		if (json_is_string(json_array_get(json, i)))
			json_array_append(list, json_array_get(json, i));
	return list;
}

static json_t *file_merge(struct loader *loader, const struct compose_place *at, json_t *root)
{
	json_t *documents = compose_documents(loader, "include", at->file);
	for (size_t i = 0; i < json_array_size(documents); i++) {
		json_t *document = json_array_get(documents, i);
		if (json_is_object(document))
			root = compose_document_merge(loader, at, root, json_incref(document));
		else
			compose_note(loader, "include", "%s is not a Compose file", at->file);
	}
	json_decref(documents);
	return root;
}

/* The variables of an included project: the includer's, and those of its own files. */
static json_t *variables_read(struct loader *loader, const struct compose_place *at,
			      const json_t *entry, const char *directory)
{
	json_t *variables = json_object();
	json_t *files = as_list(json_object_get(entry, "env_file"));
	const json_t *outer = loader->interpolation.variables;
	json_object_update(variables, (json_t *)(uintptr_t)outer);
	if (!json_array_size(files))
		compose_env(loader, compose_path(loader, directory, ".env"), true, outer,
			    variables);
	for (size_t i = 0; i < json_array_size(files); i++) {
		const char *name = json_string_value(json_array_get(files, i));
		if (strcmp(name, "/dev/null") != 0)
			compose_env(loader, compose_path(loader, at->directory, name), false, outer,
				    variables);
	}
	json_decref(files);
	return variables;
}

/* The project of one entry: its first file, and those that override it. */
static json_t *entry_read(struct loader *loader, const struct compose_place *at,
			  const json_t *entry, const json_t *paths)
{
	const json_t *outer = loader->interpolation.variables;
	json_t *extended = loader->extended;
	const char *first =
		compose_path(loader, at->directory, json_string_value(json_array_get(paths, 0)));
	const char *key = json_text_at(entry, "project_directory");
	const char *directory =
		key ? compose_path(loader, at->directory, key) : compose_directory(loader, first);
	json_t *variables = variables_read(loader, at, entry, directory), *root = json_object();
	loader->interpolation.variables = variables;
	loader->extended = json_object();
	for (size_t i = 0; i < json_array_size(paths); i++) {
		const char *name = json_string_value(json_array_get(paths, i));
		const struct compose_place inner = {
			.outer = at,
			.file = compose_path(loader, at->directory, name),
			.directory = directory};
		if (is_remote(name))
			compose_note(loader, "include", "%s is not read: it is not a local file",
				     name);
		else if (in_circle(at, inner.file))
			compose_note(loader, "include",
				     "%s is not read: files include one another in a circle, or "
				     "too deep",
				     inner.file);
		else
			root = file_merge(loader, &inner, root);
	}
	json_decref(loader->extended);
	loader->extended = extended;
	loader->interpolation.variables = outer;
	json_decref(variables);
	return root;
}

/* The document is merged over the included ones. */
static void resources_put(json_t *document, json_t *from, const char *key, enum compose_level level)
{
	json_t *to = json_object_get(document, key);
	if (!json_is_object(to)) {
		to = json_object();
		json_object_set_new(document, key, to);
	}
	json_each (json_object_get(from, key), member) {
		const char *name = json_object_iter_key(member);
		json_t *value = json_incref(json_object_iter_value(member));
		json_t *own = json_object_get(to, name);
		if (own)
			value = compose_merge(value, json_incref(own), level);
		json_object_set_new(to, name, value);
	}
}

void compose_include(struct loader *loader, const struct compose_place *at, json_t *document)
{
	json_t *include = json_object_get(document, "include");
	for (size_t i = 0; i < json_array_size(include); i++) {
		const json_t *entry = json_array_get(include, i);
		json_t *paths =
			as_list(json_is_object(entry) ? json_object_get(entry, "path") : entry);
		json_t *from = json_array_size(paths) ? entry_read(loader, at, entry, paths) : NULL;
		if (!from)
			compose_note(loader, "include", "an entry does not say which file");
		resources_put(document, from, "services", COMPOSE_SERVICE);
		resources_put(document, from, "networks", COMPOSE_NETWORK);
		json_decref(from);
		json_decref(paths);
	}
	if (include && !json_is_array(include) && !json_is_null(include))
		compose_note(loader, "include", "it is not a list");
	json_object_del(document, "include");
}
