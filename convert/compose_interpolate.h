/* Variables in Compose files, as the Compose specification expands them:
 * https://github.com/compose-spec/compose-spec/blob/main/12-interpolation.md */
#ifndef CONVERT_COMPOSE_INTERPOLATE_H
#define CONVERT_COMPOSE_INTERPOLATE_H

#include "lib/arena.h"

#include <jansson.h>

/* The variables of an expansion, and its errors. */
struct interpolation {
	struct arena *arena;
	const json_t *variables; /* texts by their names */
	/* Called for an expression that could not be expanded: "the variable X is not set". */
	void (*problem)(void *data, const char *place, const char *text);
	void *data;
	size_t budget; /* bytes that may still be written */
};

/* The text with its variables expanded, in the arena. `place`: where it is, for problems. An unset
 * variable is an empty text; a text that is no valid template stays as it is. */
const char *interpolate_text(struct interpolation *by, const char *place, const char *text);

/* Expands each text in the value, which is changed; keys stay as they are. */
void interpolate_json(struct interpolation *by, const char *place, json_t *json);

#endif
