/* The containers of a Compose service, and the choice of one of them. */
#include "container_engine/internal.h"

#include "schema/words.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

static bool label_is(const json_t *labels, const char *key, const char *value, size_t length)
{
	const char *label = json_string_value(json_object_get(labels, key));
	return label && strlen(label) == length && strncmp(label, value, length) == 0;
}

/* Whether the container belongs to the service, and not to `compose run`. podman-compose has its
 * own label for the project. */
static bool compose_member(const json_t *item, const char *name)
{
	const json_t *labels = json_object_get(item, "Labels");
	size_t length = strcspn(name, "/");
	const char *service = name + length + 1;
	const char *project = json_object_get(labels, "com.docker.compose.project")
				      ? "com.docker.compose.project"
				      : "io.podman.compose.project";
	return label_is(labels, project, name, length) &&
	       label_is(labels, "com.docker.compose.service", service, strlen(service)) &&
	       !label_is(labels, "com.docker.compose.oneoff", "True", 4);
}

/* A container of a Compose service. */
struct member {
	const char *id;
	const char *name; /* its name for display */
	long number;      /* Compose's container number */
	bool running;
};

struct members {
	struct member *list;
	size_t count, running; /* number of running containers */
	const struct member *preferred;
};

static long member_number(const json_t *item)
{
	const char *label = json_string_value(json_object_get(
		json_object_get(item, "Labels"), "com.docker.compose.container-number"));
	return label && *label && strspn(label, "0123456789") == strlen(label)
		       ? strtol(label, NULL, 10)
		       : LONG_MAX;
}

static int member_take(const struct query *query, const json_t *item, struct members *members,
		       struct error *error)
{
	const json_t *id = json_object_get(item, "Id");
	const char *state = json_string_value(json_object_get(item, "State"));
	if (!engine_id_plausible(id) || !state)
		return engine_malformed(query, "a list of containers", error);
	if (!compose_member(item, query->name))
		return 0;
	const bool running = strcmp(state, "running") == 0 || strcmp(state, "paused") == 0;
	*array_push(query->arena, members->list, members->count) =
		(struct member){.id = arena_strdup(query->arena, json_string_value(id)),
				.name = arena_strdup(query->arena, engine_member_name(item)),
				.number = member_number(item),
				.running = running};
	members->running += running;
	return 0;
}

/* Running containers first, by their numbers. */
static int member_compare(const void *a, const void *b)
{
	const struct member *left = a, *right = b;
	if (left->running != right->running)
		return left->running ? -1 : 1;
	if (left->number != right->number)
		return left->number < right->number ? -1 : 1;
	return strcmp(left->id, right->id);
}

static int members_take(const struct query *query, const json_t *json, struct members *members,
			struct error *error)
{
	int status =
		json_is_array(json) ? 0 : engine_malformed(query, "a list of containers", error);
	for (size_t i = 0; status == 0 && i < json_array_size(json); i++)
		status = member_take(query, json_array_get(json, i), members, error);
	if (members->count)
		qsort(members->list, members->count, sizeof(*members->list), member_compare);
	for (size_t i = 0; query->preferred && i < members->count; i++)
		if (strcmp(members->list[i].id, query->preferred) == 0)
			members->preferred = &members->list[i];
	return status;
}

/* The limit of listed containers. */
#define LISTED_MAX 10

static int service_scaled(const struct query *query, const struct members *members,
			  struct error *error)
{
	const char *listing = "";
	for (size_t i = 0; i < members->running && i < LISTED_MAX; i++)
		listing = arena_printf(query->arena, "%s%s%s", listing, i ? ", " : "",
				       members->list[i].name);
	error_set(error, ENOTUNIQ, "Compose service \"%s\" runs as %zu containers: %s%s",
		  query->name, members->running, listing,
		  members->running > LISTED_MAX ? ", ..." : "");
	error_hint(error, "specify one of them by name: an attachment belongs to one container");
	return error_code(error, CODE_SERVICE_SCALED);
}

const char *engine_stays(struct arena *arena, const struct error *scaled, const char *name)
{
	char code[CODE_TEXT_SIZE];
	return arena_printf(arena, "%s; the attachments stay with %s [%s]", scaled->text, name,
			    code_format(CODE_SERVICE_SCALED, code));
}

static void candidates_fill(const struct query *query, const struct members *members)
{
	for (size_t i = 0; query->candidates && i < members->running; i++)
		*array_push(query->arena, query->candidates->ids, query->candidates->count) =
			members->list[i].id;
}

int engine_service_choose(const struct query *query, const json_t *json,
			  struct service_choice *ret_choice, struct error *error)
{
	struct members members = {0};
	int status = members_take(query, json, &members, error);
	if (status < 0)
		return status;
	if (!members.count)
		return error_set(error, ENOENT, "%s has no container of Compose service \"%s\" yet",
				 source_kind_name(query->kind), query->name);
	const struct member *preferred = members.preferred;
	*ret_choice = (struct service_choice){.id = preferred ? preferred->id : members.list[0].id,
					      .others = preferred &&
							members.running > preferred->running};
	if (members.running < 2)
		return 0;
	status = service_scaled(query, &members, error);
	if (preferred)
		ret_choice->note = engine_stays(query->arena, error, preferred->name);
	else
		candidates_fill(query, &members);
	return preferred ? 0 : status;
}
