/* `extends`: https://github.com/compose-spec/compose-spec/blob/main/05-services.md#extends */
#include "convert/compose_internal.h"

#include "convert/compose_merge.h"
#include "convert/compose_yaml.h"
#include "convert/json_read.h"

#include <string.h>

/* A service that is being resolved, and the service that extends it. */
struct extending {
	const struct extending *outer; /* NULL: it is of the file itself */
	const json_t *services;
	const char *name;
	const char *directory; /* of the file that has the services */
	unsigned depth;
};

static bool in_circle(const struct extending *extending)
{
	for (const struct extending *at = extending->outer; at; at = at->outer)
		if (at->services == extending->services && strcmp(at->name, extending->name) == 0)
			return true;
	return extending->depth > COMPOSE_DEPTH_MAX;
}

/* The services of a file that another extends; they are read once. Never includes or overrides. */
static json_t *services_of(struct loader *loader, const char *place, const char *path)
{
	json_t *services = json_object_get(loader->extended, path);
	if (services)
		return services;
	json_t *documents = compose_documents(loader, place, path), *root = NULL;
	for (size_t i = 0; i < json_array_size(documents); i++) {
		json_t *document = json_array_get(documents, i);
		compose_document_prepare(loader, document);
		root = compose_merge(root, json_incref(document), COMPOSE_FILE);
	}
	services = json_object_get(root, "services");
	if (documents && !json_is_object(services))
		compose_note(loader, place, "%s has no services", path);
	services = json_is_object(services) ? json_incref(services) : json_object();
	json_object_set_new(loader->extended, path, services);
	json_decref(documents);
	json_decref(root);
	return services;
}

static void service_resolve(struct loader *loader, const struct extending *extending,
			    json_t *services);

/* A resolved copy of the service that is extended; NULL: a note has the reason. */
static json_t *base_of(struct loader *loader, const struct extending *extending, const char *place,
		       json_t *services, const char *file, const char *name)
{
	const char *path = file ? compose_path(loader, extending->directory, file) : NULL;
	json_t *from = file ? services_of(loader, place, path) : services;
	const struct extending inner = {.outer = extending,
					.services = from,
					.name = name,
					.directory = file ? compose_directory(loader, path)
							  : extending->directory,
					.depth = extending->depth + 1};
	if (!json_is_object(json_object_get(from, name)))
		compose_note(loader, place, "there is no service %.64s to extend", name);
	else if (in_circle(&inner))
		compose_note(loader, place, "services extend one another in a circle, or too deep");
	else
		service_resolve(loader, &inner, from);
	const json_t *base = json_object_get(from, name);
	if (!json_is_object(base) || json_object_get(base, "extends"))
		return NULL;
	loader->nodes += compose_nodes(base);
	if (loader->nodes <= COMPOSE_NODES_MAX)
		return compose_merge(NULL, json_deep_copy(base), COMPOSE_SERVICE);
	compose_note(loader, place, "services that are extended have too many values");
	return NULL;
}

/* Replaces the service by what it is with what it extends; where that is not known, `extends` is
 * still in it. */
static void service_resolve(struct loader *loader, const struct extending *extending,
			    json_t *services)
{
	json_t *service = json_object_get(services, extending->name);
	const json_t *extends = json_object_get(service, "extends");
	const char *place = arena_printf(loader->arena, "services.%.64s.extends", extending->name);
	const char *name = json_is_string(extends) ? json_string_value(extends)
						   : json_text_at(extends, "service");
	if (!json_is_object(service) || !extends || json_object_get(extends, COMPOSE_RESET))
		return;
	if (!name) {
		compose_note(loader, place, "it does not say which service");
		return;
	}
	json_t *base = base_of(loader, extending, place, services, json_text_at(extends, "file"),
			       arena_strdup(loader->arena, name));
	if (!base)
		return;
	json_incref(service);
	json_object_del(service, "extends");
	json_object_set_new(services, extending->name,
			    compose_merge(base, service, COMPOSE_SERVICE));
}

void compose_extend(struct loader *loader, const struct compose_place *at, json_t *document)
{
	json_t *services = json_object_get(document, "services");
	json_t *names = json_object();
	json_object_update(names, services);
	json_each (names, member) {
		const struct extending extending = {.services = services,
						    .name = json_object_iter_key(member),
						    .directory = at->directory};
		service_resolve(loader, &extending, services);
	}
	json_decref(names);
}
