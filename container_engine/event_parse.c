#include "container_engine/event_parse.h"

#include "container_engine/container_name.h"
#include "container_engine/json.h"

#include <string.h>

static const struct {
	const char *name;
	enum engine_action action;
} actions[] = {
	{"start", ENGINE_START},     {"die", ENGINE_DIE},
	{"restart", ENGINE_RESTART}, {"rename", ENGINE_RENAME},
	{"destroy", ENGINE_DESTROY}, {"died", ENGINE_DIE}, /* Podman's names of the two above */
	{"remove", ENGINE_DESTROY},
};

const char engine_event_filters[] =
	"{\"type\":[\"container\"],\"event\":[\"start\",\"die\",\"died\",\"restart\",\"rename\","
	"\"destroy\",\"remove\"]}";

static bool action_find(const char *name, enum engine_action *ret_action)
{
	for (size_t i = 0; i < sizeof(actions) / sizeof(actions[0]); i++) {
		if (strcmp(actions[i].name, name) == 0) {
			*ret_action = actions[i].action;
			return true;
		}
	}
	return false;
}

static enum engine_event_line event_of(enum source_kind kind, const json_t *json,
				       struct engine_event *event)
{
	const char *type = engine_json_text(json, "Type"),
		   *action = engine_json_text(json, "Action");
	const json_t *actor = json_object_get(json, "Actor");
	const json_t *attributes = json_object_get(actor, "Attributes");
	if (!type || !action)
		return ENGINE_EVENT_BAD;
	if (strcmp(type, "container") != 0)
		return ENGINE_EVENT_OTHER;
	const char *project = engine_json_text(attributes, "com.docker.compose.project");
	*event = (struct engine_event){
		.kind = kind,
		.id = engine_json_text(actor, "ID"),
		.name = engine_name_bare(engine_json_text(attributes, "name")),
		.old_name = engine_name_bare(engine_json_text(attributes, "oldName")),
		.project = project ? project
				   : engine_json_text(attributes, "io.podman.compose.project"),
		.service = engine_json_text(attributes, "com.docker.compose.service"),
	};
	if (!action_find(action, &event->action))
		return ENGINE_EVENT_OTHER;
	return event->id && *event->id ? ENGINE_EVENT_IS : ENGINE_EVENT_BAD;
}

enum engine_event_line engine_event_parse(enum source_kind kind, const char *line, size_t length,
					  engine_event_take *take, void *data)
{
	struct engine_event event;
	json_t *json = engine_json_parse(line, length);
	enum engine_event_line found = json ? event_of(kind, json, &event) : ENGINE_EVENT_BAD;
	if (found == ENGINE_EVENT_IS)
		take(data, &event);
	json_decref(json);
	return found;
}

/* "project/service" */
static bool event_of_service(const char *source, const struct engine_event *event)
{
	size_t length = event->project ? strlen(event->project) : 0;
	return length && event->service && strncmp(source, event->project, length) == 0 &&
	       source[length] == '/' && strcmp(source + length + 1, event->service) == 0;
}

bool engine_event_concerns(const struct engine_event *event, const char *source, const char *id)
{
	return engine_name_means(source, event->id, event->name) ||
	       engine_name_means(source, NULL, event->old_name) ||
	       (id && event->id && strcmp(id, event->id) == 0) || event_of_service(source, event);
}
