#include "schema/load.h"

#include "schema/internal.h"
#include "schema/yaml.h"

#include <stdlib.h>
#include <string.h>

/* One document of the input. */
struct document {
	struct source *source;
	struct node *root;
	struct set_info *set;
	const struct node *networks, *containers;
};

struct documents {
	struct document *items;
	size_t count;
};

static struct set_info *set_find(struct build *build, const char *name)
{
	struct set_info *set = index_get_text(build->set_names, name);
	if (set)
		return set;
	set = arena_alloc(build->context.scratch, sizeof(*set));
	set->set.name = arena_strdup(build->context.arena, name);
	index_put_text(build->set_names, set->set.name, set);
	*build->sets_end = set;
	build->sets_end = &set->next;
	return set;
}

/* Reads the top level of a document; its entries are only counted. */
static void document_read(struct build *build, struct document *document)
{
	struct document_decl decl = {0};
	struct scope root = {0};
	const struct diags *diags = build->context.diags;
	size_t before = diags->count + diags->omitted;
	build->context.source = document->source;
	decode_object(&build->context, &root, &document_object, document->root, document->root,
		      &decl);
	/* A misspelt `networks` would cause an error for each reference to one. */
	build->context.incomplete |= diags->count + diags->omitted != before;
	document->networks = decl.networks;
	document->containers = decl.containers;
	document->set = set_find(build, decl.name ? decl.name : SET_DEFAULT);
	document->set->networks_room += decl.networks ? decl.networks->count : 0;
	document->set->containers_room += decl.containers ? decl.containers->count : 0;
}

static void set_prepare(struct build *build, struct set_info *set)
{
	struct arena *arena = build->context.arena;
	set->set.networks = arena_alloc(arena, set->networks_room * sizeof(struct network));
	set->set.containers = arena_alloc(arena, set->containers_room * sizeof(struct container));
	set->infos = arena_alloc(build->context.scratch,
				 set->networks_room * sizeof(struct network_info));
	set->networks = index_new(set->networks_room);
	set->containers = index_new(set->containers_room);
	set->sources = host_uniques_new(set->containers_room);
}

typedef void (*read_entry)(struct build *, struct set_info *, struct node *name);

static void entries_read(struct build *build, struct document *document, const struct node *map,
			 read_entry read)
{
	build->context.source = document->source;
	for (struct node *name = map ? map->first : NULL; name; name = name->next->next)
		read(build, document->set, name);
}

/* Networks first: containers can name a network that is declared later or in another file. */
static void documents_read(struct build *build, struct documents *documents)
{
	for (size_t i = 0; i < documents->count; i++)
		document_read(build, &documents->items[i]);
	if (!build->sets)
		set_find(build, SET_DEFAULT);
	for (struct set_info *set = build->sets; set; set = set->next)
		set_prepare(build, set);
	for (size_t i = 0; i < documents->count; i++)
		entries_read(build, &documents->items[i], documents->items[i].networks,
			     network_read);
	networks_check(build);
	for (size_t i = 0; i < documents->count; i++)
		entries_read(build, &documents->items[i], documents->items[i].containers,
			     container_read);
	multi_host_check_networks(build);
	for (size_t i = 0; build->multi_host && i < documents->count; i++)
		entries_read(build, &documents->items[i], documents->items[i].containers,
			     multi_host_check_container);
}

static void inputs_parse(struct build *build, const struct input *inputs, size_t count,
			 struct documents *documents)
{
	struct context *context = &build->context;
	for (size_t i = 0; i < count; i++) {
		struct source *source = arena_alloc(context->scratch, sizeof(*source));
		const char *file = arena_strdup(context->arena, inputs[i].file);
		source_init(source, file, inputs[i].bytes, inputs[i].size);
		context->source = source;
		for (struct node *root = yaml_read(context); root; root = root->next) {
			struct document *document =
				array_push(context->scratch, documents->items, documents->count);
			document->source = source;
			document->root = root;
		}
	}
}

static struct desired *build_finish(struct build *build, const char *host)
{
	struct arena *arena = build->context.arena;
	struct desired *desired = arena_alloc(arena, sizeof(*desired));
	desired->arena = arena;
	for (const struct set_info *set = build->sets; set; set = set->next)
		*array_push(arena, desired->sets, desired->n_sets) = set->set;
	if (!host)
		return desired;
	desired->host = arena_strdup(arena, host);
	return build->multi_host ? desired_for_host(desired, desired->host, arena) : desired;
}

static void build_init(struct build *build, struct diags *diags)
{
	*build = (struct build){
		.context = {.arena = arena_new(), .scratch = arena_new(), .diags = diags},
		.set_names = index_new(0),
		.links = index_new(0),
		.claims = index_new(0),
		.host_names = host_uniques_new(0),
		.passthru_users = host_uniques_new(0),
		.resolv_conf_users = host_uniques_new(0),
		.assignments = index_new(0),
		.host_index = index_new(0),
	};
	build->sets_end = &build->sets;
	build->groups_end = &build->groups;
}

static void build_free(struct build *build)
{
	for (struct set_info *set = build->sets; set; set = set->next) {
		index_free(set->networks);
		index_free(set->containers);
		host_uniques_free(&set->sources);
	}
	index_free(build->set_names);
	index_free(build->links);
	index_free(build->claims);
	host_uniques_free(&build->host_names);
	host_uniques_free(&build->passthru_users);
	host_uniques_free(&build->resolv_conf_users);
	index_free(build->assignments);
	index_free(build->host_index);
	arena_free(build->context.scratch);
}

struct desired *load(const struct input *inputs, size_t count, const char *host,
		     struct diags *diags)
{
	size_t from = diags->count, before = from + diags->omitted;
	struct documents documents = {0};
	struct build build;
	struct desired *desired = NULL;

	build_init(&build, diags);
	if (host)
		host_note(&build, host);
	inputs_parse(&build, inputs, count, &documents);
	documents_read(&build, &documents);
	if (diags->count + diags->omitted == before)
		desired = build_finish(&build, host);
	else
		arena_free(build.context.arena);
	build_free(&build);
	report_sort(diags, from, inputs, count);
	return desired;
}
