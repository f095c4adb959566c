#include "convert/import.h"
#include "cmd/commands.h"
#include "cmd/exit.h"
#include "cmd/import_compose.h"
#include "cmd/output.h"
#include "cmd/output_json.h"
#include "cmd/output_text.h"
#include "cmd/yaml_output.h"
#include "container_engine/engine.h"
#include "convert/import_edit.h"
#include "convert/json_read.h"
#include "lib/did_you_mean.h"
#include "schema/files.h"
#include "schema/source_text.h"
#include "schema/yaml.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The state of one import. */
struct importer {
	const struct options *options;
	struct arena *arena;
	struct input *inputs; /* the given files */
	size_t n_inputs;
	struct diags diags;
};

/* NULL: `error` has the reason, or the diags if its text is empty. */
typedef struct tree *import_make(struct importer *importer, struct error *error);

static struct tree *compose_make(struct importer *importer, struct error *error)
{
	return import_compose_files(importer->options, importer->inputs, importer->n_inputs, error);
}

#define NOT_A_MAP "it is not a map"

/* `wrong`: the position if the text is not valid JSON; otherwise `reason`. */
static void fault_cni(const struct input *input, const json_error_t *wrong, const char *reason,
		      struct error *error)
{
	if (wrong)
		error_set(error, EINVAL, "%s:%d:%d: %s", input->file, wrong->line, wrong->column,
			  wrong->text);
	else
		error_set(error, EINVAL, "%s is not a CNI configuration: %s", input->file, reason);
	text_make_printable(error->text); /* it cites the file */
	error_hint(error, "a CNI configuration is JSON, as in /etc/cni/net.d; a "
			  "NetworkAttachmentDefinition is JSON or YAML");
	error_code(error, CODE_IMPORT_FILE);
}

/* Whether the text is parsed as JSON: YAML that begins with `{` or `[` is not supported. */
static bool starts_as_json(const struct input *input)
{
	size_t at = 0;
	while (at < input->size && strchr(" \t\r\n", input->bytes[at]))
		at++;
	return at == input->size || input->bytes[at] == '{' || input->bytes[at] == '[';
}

static int cni_read_json(const struct input *input, json_t *documents, struct error *error)
{
	json_error_t wrong;
	json_t *conf = json_loadb(input->bytes, input->size, JSON_REJECT_DUPLICATES, &wrong);
	if (!json_is_object(conf))
		fault_cni(input, conf ? NULL : &wrong, NOT_A_MAP, error);
	const int status = json_is_object(conf) ? 0 : -EINVAL;
	if (status == 0)
		json_array_append(documents, conf);
	json_decref(conf);
	return status;
}

/* Each document of a YAML file. */
static int cni_read_yaml(struct importer *importer, const struct input *input, json_t *documents,
			 struct error *error)
{
	const struct node *root = yaml_parse(input, importer->arena, &importer->diags);
	if (importer->diags.count)
		return -EINVAL;
	if (!root)
		fault_cni(input, NULL, NOT_A_MAP, error);
	for (const struct node *document = root; document; document = document->next) {
		json_t *json = document->kind == NODE_MAPPING ? json_of_node(document) : NULL;
		if (!json_object_get(json, "kind")) {
			fault_cni(input, NULL, json ? "it is YAML without a kind" : NOT_A_MAP,
				  error);
			json_decref(json);
			return -EINVAL;
		}
		json_array_append_new(documents, json);
	}
	return root ? 0 : -EINVAL;
}

static struct tree *cni_make(struct importer *importer, struct error *error)
{
	json_t *documents = json_array();
	struct tree *tree = NULL;
	int status = 0;
	*error = (struct error){0};
	for (size_t i = 0; status == 0 && i < importer->n_inputs; i++) {
		const struct input *input = &importer->inputs[i];
		status = starts_as_json(input) ? cni_read_json(input, documents, error)
					       : cni_read_yaml(importer, input, documents, error);
	}
	if (status == 0)
		tree = import_cni(documents, importer->arena);
	json_decref(documents);
	return tree;
}

/* The requests to an engine. */
struct engine_api {
	enum source_kind kind;
	const char *networks, *containers; /* paths of lists */
	const char *container;             /* path of one container, with its id */
	struct tree *(*import)(const json_t *networks, const json_t *containers,
			       struct arena *arena);
};

/* Every container, running or not, in the engine's description. */
static int containers_get(struct engines *engines, const struct engine_api *api,
			  struct arena *arena, json_t *containers, struct error *error)
{
	json_t *list = NULL;
	int status = engine_get(engines, api->kind, api->containers, &list, error);
	for (size_t i = 0; status == 0 && i < json_array_size(list); i++) {
		const char *id = json_string_value(json_object_get(json_array_get(list, i), "Id"));
		json_t *container = NULL;
		if (!id || strspn(id, "0123456789abcdef") != strlen(id))
			continue;
		status = engine_get(engines, api->kind,
				    arena_printf(arena, "%s/%s/json", api->container, id),
				    &container, error);
		json_push(containers, container);
		if (status == -ENOENT) /* removed meanwhile */
			status = 0;
	}
	json_decref(list);
	return status;
}

static struct tree *engine_make(struct engines *engines, const struct engine_api *api,
				struct arena *arena, struct error *error)
{
	json_t *networks = NULL, *containers = json_array();
	struct tree *tree = NULL;
	if (engine_get(engines, api->kind, api->networks, &networks, error) == 0 &&
	    containers_get(engines, api, arena, containers, error) == 0)
		tree = api->import(networks, containers, arena);
	json_decref(networks);
	json_decref(containers);
	return tree;
}

#define LIBPOD "/v4.0.0/libpod"

/* Whether Podman answers on Docker's socket: its Docker API does not give a network's parent. Its
 * /version takes seconds, as it queries the package database. */
static int docker_check(struct engines *engines, struct error *error)
{
	json_t *networks = NULL;
	struct error ignored;
	if (engine_get(engines, SOURCE_DOCKER, LIBPOD "/networks/json", &networks, &ignored) != 0)
		return 0;
	json_decref(networks);
	error_set(error, EOPNOTSUPP,
		  "the engine on Docker's socket is Podman, whose Docker API does not give the "
		  "parent of a network");
	error_hint(
		error,
		"`mvapply import podman` uses Podman's own API; CONTAINER_HOST names its socket");
	error_code(error, CODE_IMPORT);
	return -EOPNOTSUPP;
}

static struct tree *docker_make(struct importer *importer, struct error *error)
{
	static const struct engine_api api = {.kind = SOURCE_DOCKER,
					      .networks = "/networks",
					      .containers = "/containers/json?all=true",
					      .container = "/containers",
					      .import = import_docker};
	struct engines *engines = engines_new(NULL);
	struct tree *tree = docker_check(engines, error) == 0
				    ? engine_make(engines, &api, importer->arena, error)
				    : NULL;
	engines_free(engines);
	return tree;
}

static struct tree *podman_make(struct importer *importer, struct error *error)
{
	static const struct engine_api api = {.kind = SOURCE_PODMAN,
					      .networks = LIBPOD "/networks/json",
					      .containers = LIBPOD "/containers/json?all=true",
					      .container = LIBPOD "/containers",
					      .import = import_podman};
	struct engines *engines = engines_new(NULL);
	struct tree *tree = engine_make(engines, &api, importer->arena, error);
	engines_free(engines);
	return tree;
}

/* podman-systemd.unit(5): files in UNIT.d/ change the unit. */
static void drop_ins_note(const struct importer *importer, struct tree *tree)
{
	for (size_t i = 0; i < importer->n_inputs; i++) {
		const char *path = arena_printf(importer->arena, "%s.d", importer->inputs[i].file);
		if (access(path, F_OK) == 0)
			tree_comment(tree,
				     "edit this: the files in %s are not read; what they change "
				     "has to be written here",
				     path);
	}
}

static struct tree *quadlet_make(struct importer *importer, struct error *error)
{
	*error = (struct error){0};
	struct tree *tree = import_quadlet(importer->inputs, importer->n_inputs, importer->arena);
	if (tree)
		drop_ins_note(importer, tree);
	return tree;
}

/* The ConfFiles of libcni, and manifests of Kubernetes. */
static const char *const cni_endings[] = {".conf", ".conflist", ".json", ".yaml", ".yml", NULL};

static const char *const quadlet_endings[] = {".network", ".container", ".pod", ".kube", NULL};

static const struct kind {
	const char *name;
	size_t least, most; /* files */
	import_make *make;
	const char *const *endings; /* of files in a directory */
	/* The paths to read in place of the words; or NULL. */
	const char **(*paths)(const struct options *options, size_t *ret_count);
} kinds[] = {
	{"docker", 0, 0, docker_make, NULL, NULL},
	{"compose", 1, SIZE_MAX, compose_make, yaml_endings, import_compose_paths},
	{"cni", 1, SIZE_MAX, cni_make, cni_endings, NULL},
	{"podman", 0, 0, podman_make, NULL, NULL},
	{"quadlet", 1, SIZE_MAX, quadlet_make, quadlet_endings, NULL},
};

enum { N_KINDS = sizeof(kinds) / sizeof(kinds[0]) };

static void fault_files(const struct kind *kind, struct error *error)
{
	error_set(error, EINVAL, "import %s takes %s", kind->name,
		  kind->most ? "files" : "no file");
	error_hint(error, "`mvapply import %s%s`", kind->name, kind->most ? " FILE" : "");
	error_code(error, CODE_IMPORT);
}

/* NULL: `error` has the reason. */
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
		error_set(error, EINVAL, "unknown import source \"%s\"%s", word,
			  suggestion_text(options->arena, &suggestion));
	else
		error_set(error, EINVAL, "import needs a source");
	error_hint(error,
		   "`mvapply import docker`, `mvapply import podman`, `mvapply import compose "
		   "PATH...`, `mvapply import cni PATH...` or `mvapply import quadlet PATH...`");
	error_code(error, CODE_IMPORT);
	return NULL;
}

/* Imported files are converted, never executed, so it does not matter who can write them. */
static int files_take(struct importer *importer, const struct kind *kind)
{
	const struct trust everybody = {.everybody = true};
	const char **paths = importer->options->words + 1;
	size_t count = importer->options->n_words - 1;
	if (kind->paths)
		paths = kind->paths(importer->options, &count);
	for (size_t i = 0; i < count; i++)
		if (files_read_endings(paths[i], kind->endings, &everybody, importer->arena,
				       &importer->inputs, &importer->n_inputs,
				       &importer->diags) < 0)
			return -1;
	return 0;
}

static int report_diags(const struct importer *importer)
{
	if (importer->options->output == OUTPUT_JSON)
		return json_finish(json_diags(&importer->diags), EXIT_USAGE);
	text_diags(&importer->diags);
	return EXIT_USAGE;
}

/* Reports the keys to complete, as `validate` would. */
static void remainder_report(const struct tree *tree)
{
	struct diags diags;
	diags_init(&diags);
	import_validate(tree, &diags);
	if (diags.count)
		fputs("mvapply: warning: the result needs an edit before it can be applied:\n",
		      stderr);
	text_diags(&diags);
	diags_free(&diags);
}

static int import_write(struct importer *importer, const struct kind *kind)
{
	struct error error;
	struct converted converted = {.comment =
					      arena_printf(importer->arena,
							   "From `mvapply import %s`; what could "
							   "not be converted is a comment.",
							   kind->name),
				      .count = 1};
	struct tree *tree = kind->make(importer, &error);
	if (!tree && importer->diags.count)
		return report_diags(importer);
	if (!tree)
		return run_error(&error, importer->options);
	import_mark_edits(tree);
	converted.documents = &tree;
	converted_write(&converted, importer->options);
	fflush(stdout);
	if (importer->options->output == OUTPUT_TEXT)
		remainder_report(tree);
	return EXIT_CONVERGED;
}

int command_import(const struct options *options)
{
	struct error error;
	const struct kind *kind = kind_find(options, &error);
	struct importer importer = {.options = options, .arena = options->arena};
	if (!kind)
		return run_error(&error, options);
	diags_init(&importer.diags);
	int code = files_take(&importer, kind) < 0 ? report_diags(&importer)
						   : import_write(&importer, kind);
	diags_free(&importer.diags);
	return code;
}
