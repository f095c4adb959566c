#include "convert/import.h"
#include "cmd/commands.h"
#include "cmd/exit.h"
#include "cmd/output.h"
#include "cmd/output_json.h"
#include "cmd/output_text.h"
#include "cmd/yaml_output.h"
#include "container_engine/engine.h"
#include "lib/did_you_mean.h"
#include "schema/files.h"
#include "schema/source_text.h"
#include "schema/yaml.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* What one import works with. */
struct importing {
	const struct options *options;
	struct arena *arena;
	struct input *inputs; /* of the files that are named */
	size_t n_inputs;
	struct diags diags;
};

/* NULL: what went wrong is in `error`, or in the diags where that has no text. */
typedef struct tree *import_make(struct importing *importing, struct error *error);

/* Compose's name of a project whose file does not say one: that of the file's folder, in small
 * letters, and only such as may be in a name. */
static const char *project_name(struct arena *arena, const char *file)
{
	char *path = strcmp(file, "<stdin>") == 0 ? NULL : realpath(file, NULL);
	char *slash = path ? strrchr(path, '/') : NULL;
	if (slash)
		*slash = '\0';
	const char *folder = slash && strrchr(path, '/') ? strrchr(path, '/') + 1 : "";
	char *name = arena_alloc(arena, strlen(folder) + 1), *to = name;
	for (; *folder; folder++) {
		char c = *folder >= 'A' && *folder <= 'Z' ? (char)(*folder + 'a' - 'A') : *folder;
		bool first = to == name, letter = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
		if (letter || (!first && (c == '_' || c == '-')))
			*to++ = c;
	}
	free(path);
	return *name ? name : "default";
}

static struct tree *compose_make(struct importing *importing, struct error *error)
{
	const struct input *input = &importing->inputs[0];
	const struct node *root = yaml_parse(input, importing->arena, &importing->diags);
	*error = (struct error){0};
	if (importing->diags.count)
		return NULL;
	if (root && root->kind == NODE_MAPPING)
		return import_compose(root, project_name(importing->arena, input->file),
				      importing->arena);
	error_set(error, EINVAL, "%s is no Compose file: its top level is no map", input->file);
	error_hint(error, "a Compose file has `services` and `networks` at its top");
	error_code(error, CODE_IMPORT_FILE);
	return NULL;
}

static void confs_free(json_t **confs, size_t count)
{
	for (size_t i = 0; i < count; i++)
		json_decref(confs[i]);
}

static struct tree *cni_make(struct importing *importing, struct error *error)
{
	size_t count = 0;
	json_t **confs = arena_alloc(importing->arena, importing->n_inputs * sizeof(*confs));
	for (; count < importing->n_inputs; count++) {
		const struct input *input = &importing->inputs[count];
		json_error_t wrong;
		confs[count] =
			json_loadb(input->bytes, input->size, JSON_REJECT_DUPLICATES, &wrong);
		if (json_is_object(confs[count]))
			continue;
		if (confs[count])
			error_set(error, EINVAL, "%s is no CNI configuration: it is no JSON object",
				  input->file);
		else
			error_set(error, EINVAL, "%s:%d:%d: %s", input->file, wrong.line,
				  wrong.column, wrong.text);
		text_make_printable(error->text); /* it cites the file */
		error_hint(error, "a CNI configuration is JSON, as in /etc/cni/net.d");
		error_code(error, CODE_IMPORT_FILE);
		confs_free(confs, count + 1);
		return NULL;
	}
	struct tree *tree = import_cni((const json_t *const *)confs, count, importing->arena);
	confs_free(confs, count);
	return tree;
}

/* Every container, running or not, as the engine tells of it. */
static int containers_ask(struct engines *engines, struct arena *arena, json_t *containers,
			  struct error *error)
{
	json_t *list = NULL;
	int status = engine_ask(engines, SOURCE_DOCKER, "/containers/json?all=true", &list, error);
	for (size_t i = 0; status == 0 && i < json_array_size(list); i++) {
		const char *id = json_string_value(json_object_get(json_array_get(list, i), "Id"));
		json_t *container = NULL;
		if (!id || strspn(id, "0123456789abcdef") != strlen(id))
			continue;
		status = engine_ask(engines, SOURCE_DOCKER,
				    arena_printf(arena, "/containers/%s/json", id), &container,
				    error);
		json_push(containers, container);
		if (status == -ENOENT) /* gone meanwhile */
			status = 0;
	}
	json_decref(list);
	return status;
}

static struct tree *docker_make(struct importing *importing, struct error *error)
{
	struct engines *engines = engines_new(NULL);
	json_t *networks = NULL, *containers = json_array();
	struct tree *tree = NULL;
	if (engine_ask(engines, SOURCE_DOCKER, "/networks", &networks, error) == 0 &&
	    containers_ask(engines, importing->arena, containers, error) == 0)
		tree = import_docker(networks, containers, importing->arena);
	json_decref(networks);
	json_decref(containers);
	engines_free(engines);
	return tree;
}

static const struct kind {
	const char *name;
	size_t least, most; /* files */
	import_make *make;
	const char *hint; /* where the file cannot be read as it stands; or NULL */
} kinds[] = {
	{"docker", 0, 0, docker_make, NULL},
	{"compose", 1, 1, compose_make,
	 "`docker compose -f FILE config` writes the file out without anchors, variables and "
	 "extends: `... config | mvapply import compose -`"},
	{"cni", 1, SIZE_MAX, cni_make, NULL},
};

enum { N_KINDS = sizeof(kinds) / sizeof(kinds[0]) };

static void fault_files(const struct kind *kind, struct error *error)
{
	error_set(error, EINVAL, "import %s takes %s", kind->name,
		  kind->most == 0   ? "no file"
		  : kind->most == 1 ? "one file"
				    : "files");
	error_hint(error, "`mvapply import %s%s`", kind->name, kind->most ? " FILE" : "");
	error_code(error, CODE_IMPORT);
}

/* NULL: what is wrong is in `error`. */
static const struct kind *kind_find(const struct options *options, struct error *error)
{
	const char *word = options->n_words ? options->words[0] : "";
	struct suggestion suggestion = {.text = word};
	for (size_t i = 0; i < N_KINDS; i++) {
		suggestion_try(&suggestion, kinds[i].name);
		if (strcmp(kinds[i].name, word) != 0)
			continue;
		size_t files = options->n_words - 1;
		if (files >= kinds[i].least && files <= kinds[i].most)
			return &kinds[i];
		fault_files(&kinds[i], error);
		return NULL;
	}
	if (*word)
		error_set(error, EINVAL, "there is no way to import \"%s\"%s", word,
			  suggestion_text(options->arena, &suggestion));
	else
		error_set(error, EINVAL, "import from what?");
	error_hint(error, "`mvapply import docker`, `mvapply import compose FILE` or `mvapply "
			  "import cni FILE...`");
	error_code(error, CODE_IMPORT);
	return NULL;
}

/* What is imported is read and shown, and nothing is done by its word: whoever may write it. */
static int files_take(struct importing *importing)
{
	const struct trust everybody = {.everybody = true};
	for (size_t i = 1; i < importing->options->n_words; i++)
		if (files_read(importing->options->words[i], &everybody, importing->arena,
			       &importing->inputs, &importing->n_inputs, &importing->diags) < 0)
			return -1;
	return 0;
}

static int report_diags(const struct importing *importing, const struct kind *kind)
{
	if (importing->options->output == OUTPUT_JSON)
		return json_finish(json_diags(&importing->diags), EXIT_USAGE);
	text_diags(&importing->diags);
	if (kind->hint)
		text_note(kind->hint);
	return EXIT_USAGE;
}

/* What still has to be written before it can be applied, as `validate` would say it. */
static void remainder_report(struct tree *tree)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);
	struct diags diags;
	if (!out)
		return;
	tree_yaml(out, tree);
	fclose(out);
	diags_init(&diags);
	const struct input input = {.file = "<result>", .bytes = text, .size = size};
	desired_free(load(&input, 1, NULL, &diags));
	if (diags.count)
		fputs("mvapply: warning: the result needs an edit before it can be applied:\n",
		      stderr);
	text_diags(&diags);
	diags_free(&diags);
	free(text);
}

static int import_write(struct importing *importing, const struct kind *kind)
{
	struct error error;
	struct converted converted = {.comment =
					      arena_printf(importing->arena,
							   "From `mvapply import %s`; what could "
							   "not be carried over is a comment.",
							   kind->name),
				      .count = 1};
	struct tree *tree = kind->make(importing, &error);
	if (!tree && importing->diags.count)
		return report_diags(importing, kind);
	if (!tree)
		return run_error(&error, importing->options);
	converted.documents = &tree;
	converted_write(&converted, importing->options);
	fflush(stdout);
	if (importing->options->output == OUTPUT_TEXT)
		remainder_report(tree);
	return EXIT_CONVERGED;
}

int command_import(const struct options *options)
{
	struct error error;
	const struct kind *kind = kind_find(options, &error);
	struct importing importing = {.options = options, .arena = options->arena};
	if (!kind)
		return run_error(&error, options);
	diags_init(&importing.diags);
	int code = files_take(&importing) < 0
			   ? report_diags(&importing, &(struct kind){.name = kind->name})
			   : import_write(&importing, kind);
	diags_free(&importing.diags);
	return code;
}
