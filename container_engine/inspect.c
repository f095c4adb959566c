/* Inspects one container. */
#include "container_engine/container_name.h"
#include "container_engine/engine.h"
#include "container_engine/internal.h"
#include "lib/memory.h"
#include "schema/words.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct engine_inspection {
	struct engines *engines;
	struct query query;
	const char *requested;        /* the container: a name, an id or its beginning */
	struct service_choice choice; /* one of a Compose service's containers */
	struct engine_request *request;
	struct error refusal; /* errnum 0: none */
	engine_inspected *report;
	void *data;
};

static void inspection_report(struct engine_inspection *inspection,
			      const struct engine_container *container, const struct error *error)
{
	engine_inspected *report = inspection->report;
	void *data = inspection->data;
	free(inspection);
	report(data, container, error);
}

static void inspection_absent(struct engine_inspection *inspection)
{
	struct error error;
	error_set(&error, ENOENT, "%s has no container \"%s\" yet",
		  source_kind_name(inspection->query.kind), inspection->query.name);
	inspection_report(inspection, NULL, &error);
}

static void list_answered(void *data, json_t *json, const struct error *failure)
{
	struct engine_inspection *inspection = data;
	const struct error refusal = inspection->refusal;
	const size_t length = strlen(inspection->requested);
	size_t alike = 0;
	(void)failure;
	for (size_t i = 0; i < json_array_size(json); i++) {
		const json_t *id = json_object_get(json_array_get(json, i), "Id");
		alike += engine_id_plausible(id) &&
			 strncmp(json_string_value(id), inspection->requested, length) == 0;
	}
	if (alike > 1)
		inspection_absent(inspection);
	else
		inspection_report(inspection, NULL, &refusal);
}

/* Docker answers with status 500 if several container ids begin with the name and no container has
 * that name. */
static void refusal_check(struct engine_inspection *inspection, const struct error *refusal)
{
	inspection->refusal = *refusal;
	inspection->request =
		engine_http_begin(inspection->engines->http, inspection->query.kind,
				  "/containers/json?all=true", list_answered, inspection);
}

static void container_answered(void *data, json_t *json, const struct error *failure)
{
	struct engine_inspection *inspection = data;
	struct engine_container container = {0};
	struct error error = *failure;
	int status = json ? engine_container_parse(&inspection->query, json, &container, &error)
			  : -error.errnum;
	container.note = inspection->choice.note;
	container.others = inspection->choice.others;
	container.user = engine_http_user(inspection->request);
	if (status == -ENOENT)
		inspection_absent(inspection);
	else if (status == -EBADMSG && engine_name_ambiguous(inspection->requested))
		refusal_check(inspection, &error);
	else if (status < 0)
		inspection_report(inspection, NULL, &error);
	else if (engine_name_means(inspection->requested, container.id, container.name))
		inspection_report(inspection, &container, &error);
	else
		inspection_absent(
			inspection); /* another container, whose id begins with the name */
}

static void container_inspect(struct engine_inspection *inspection, const char *name)
{
	char *escaped = engine_http_escape(name);
	const char *path = arena_printf(inspection->query.arena, "/containers/%s/json", escaped);
	free(escaped);
	inspection->requested = name;
	inspection->request = engine_http_begin(inspection->engines->http, inspection->query.kind,
						path, container_answered, inspection);
}

static void service_answered(void *data, json_t *json, const struct error *failure)
{
	struct engine_inspection *inspection = data;
	struct error error = *failure;
	/* The list always exists: Podman reports ENOENT if a container in it is being removed. */
	if (error.errnum == ENOENT)
		error.errnum = EHOSTDOWN;
	if (json &&
	    engine_service_choose(&inspection->query, json, &inspection->choice, &error) == 0)
		container_inspect(inspection, inspection->choice.id);
	else
		inspection_report(inspection, NULL, &error);
}

/* Lists only the service's containers; all containers if its name cannot be written as JSON. */
static void service_inspect(struct engine_inspection *inspection)
{
	const char *service = strchr(inspection->query.name, '/') + 1;
	json_t *filter = json_pack("{s:[s+]}", "label", "com.docker.compose.service=", service);
	char *text = filter ? json_dumps(filter, JSON_COMPACT) : NULL;
	char *escaped = engine_http_escape(text ? text : "{}");
	const char *path = arena_printf(inspection->query.arena,
					"/containers/json?all=true&filters=%s", escaped);
	json_decref(filter);
	free(text);
	free(escaped);
	inspection->request = engine_http_begin(inspection->engines->http, inspection->query.kind,
						path, service_answered, inspection);
}

struct engine_inspection *engine_inspect_begin(struct engines *engines, enum source_kind kind,
					       const char *name, struct arena *arena,
					       engine_inspected *report, void *data)
{
	struct engine_inspection *inspection = memory_new(1, sizeof(*inspection));
	*inspection = (struct engine_inspection){
		.engines = engines,
		.query = {.kind = kind, .arena = arena, .name = arena_strdup(arena, name)},
		.report = report,
		.data = data};
	if (strchr(name, '/'))
		service_inspect(inspection);
	else
		container_inspect(inspection, inspection->query.name);
	return inspection;
}

void engine_inspect_prefer(struct engine_inspection *inspection, const char *id,
			   struct engine_candidates *ret_candidates)
{
	inspection->query.candidates = ret_candidates;
	inspection->query.preferred = id ? arena_strdup(inspection->query.arena, id) : NULL;
}

void engine_inspect_end(struct engine_inspection *inspection)
{
	if (!inspection)
		return;
	engine_http_cancel(inspection->request);
	free(inspection);
}
