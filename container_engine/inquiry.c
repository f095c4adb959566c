/* Questions about one container. */
#include "container_engine/container_name.h"
#include "container_engine/engine.h"
#include "container_engine/internal.h"
#include "lib/memory.h"
#include "schema/words.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct engine_inquiry {
	struct engines *engines;
	struct query query;
	const char *asked;            /* the container: a name, an id or its beginning */
	struct service_choice choice; /* of a Compose service's containers */
	struct engine_request *request;
	struct error refusal; /* errnum 0: none */
	engine_inspected *report;
	void *data;
};

static void inquiry_report(struct engine_inquiry *inquiry, const struct engine_container *container,
			   const struct error *error)
{
	engine_inspected *report = inquiry->report;
	void *data = inquiry->data;
	free(inquiry);
	report(data, container, error);
}

static void inquiry_absent(struct engine_inquiry *inquiry)
{
	struct error error;
	error_set(&error, ENOENT, "%s has no container \"%s\" yet",
		  source_kind_name(inquiry->query.kind), inquiry->query.name);
	inquiry_report(inquiry, NULL, &error);
}

static void list_answered(void *data, json_t *json, const struct error *failure)
{
	struct engine_inquiry *inquiry = data;
	const struct error refusal = inquiry->refusal;
	const size_t length = strlen(inquiry->asked);
	size_t alike = 0;
	(void)failure;
	for (size_t i = 0; i < json_array_size(json); i++) {
		const json_t *id = json_object_get(json_array_get(json, i), "Id");
		alike += engine_id_plausible(id) &&
			 strncmp(json_string_value(id), inquiry->asked, length) == 0;
	}
	if (alike > 1)
		inquiry_absent(inquiry);
	else
		inquiry_report(inquiry, NULL, &refusal);
}

/* Docker answers with status 500 where the ids of several containers begin with the name, and none
 * has the name. */
static void refusal_check(struct engine_inquiry *inquiry, const struct error *refusal)
{
	inquiry->refusal = *refusal;
	inquiry->request = engine_http_begin(inquiry->engines->http, inquiry->query.kind,
					     "/containers/json?all=true", list_answered, inquiry);
}

static void container_answered(void *data, json_t *json, const struct error *failure)
{
	struct engine_inquiry *inquiry = data;
	struct engine_container container = {0};
	struct error error = *failure;
	int status = json ? engine_container_parse(&inquiry->query, json, &container, &error)
			  : -error.errnum;
	container.note = inquiry->choice.note;
	container.others = inquiry->choice.others;
	container.user = engine_http_user(inquiry->request);
	if (status == -ENOENT)
		inquiry_absent(inquiry);
	else if (status == -EBADMSG && engine_name_ambiguous(inquiry->asked))
		refusal_check(inquiry, &error);
	else if (status < 0)
		inquiry_report(inquiry, NULL, &error);
	else if (engine_name_means(inquiry->asked, container.id, container.name))
		inquiry_report(inquiry, &container, &error);
	else
		inquiry_absent(inquiry); /* a stranger, whose id begins with the name */
}

static void container_ask(struct engine_inquiry *inquiry, const char *name)
{
	char *escaped = engine_http_escape(name);
	const char *path = arena_printf(inquiry->query.arena, "/containers/%s/json", escaped);
	free(escaped);
	inquiry->asked = name;
	inquiry->request = engine_http_begin(inquiry->engines->http, inquiry->query.kind, path,
					     container_answered, inquiry);
}

static void service_answered(void *data, json_t *json, const struct error *failure)
{
	struct engine_inquiry *inquiry = data;
	struct error error = *failure;
	/* There always is a list: Podman may speak of a container in it that is being removed. */
	if (error.errnum == ENOENT)
		error.errnum = EHOSTDOWN;
	if (json && engine_service_choose(&inquiry->query, json, &inquiry->choice, &error) == 0)
		container_ask(inquiry, inquiry->choice.id);
	else
		inquiry_report(inquiry, NULL, &error);
}

/* Only the service's containers; all of them where its name cannot be written as JSON. */
static void service_ask(struct engine_inquiry *inquiry)
{
	const char *service = strchr(inquiry->query.name, '/') + 1;
	json_t *filter = json_pack("{s:[s+]}", "label", "com.docker.compose.service=", service);
	char *text = filter ? json_dumps(filter, JSON_COMPACT) : NULL;
	char *escaped = engine_http_escape(text ? text : "{}");
	const char *path =
		arena_printf(inquiry->query.arena, "/containers/json?all=true&filters=%s", escaped);
	json_decref(filter);
	free(text);
	free(escaped);
	inquiry->request = engine_http_begin(inquiry->engines->http, inquiry->query.kind, path,
					     service_answered, inquiry);
}

struct engine_inquiry *engine_inspect_begin(struct engines *engines, enum source_kind kind,
					    const char *name, struct arena *arena,
					    engine_inspected *report, void *data)
{
	struct engine_inquiry *inquiry = memory_new(1, sizeof(*inquiry));
	*inquiry = (struct engine_inquiry){
		.engines = engines,
		.query = {.kind = kind, .arena = arena, .name = arena_strdup(arena, name)},
		.report = report,
		.data = data};
	if (strchr(name, '/'))
		service_ask(inquiry);
	else
		container_ask(inquiry, inquiry->query.name);
	return inquiry;
}

void engine_inquiry_prefer(struct engine_inquiry *inquiry, const char *id,
			   struct engine_candidates *ret_candidates)
{
	inquiry->query.candidates = ret_candidates;
	inquiry->query.preferred = id ? arena_strdup(inquiry->query.arena, id) : NULL;
}

void engine_inquiry_end(struct engine_inquiry *inquiry)
{
	if (!inquiry)
		return;
	engine_http_cancel(inquiry->request);
	free(inquiry);
}
