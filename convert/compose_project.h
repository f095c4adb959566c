/* A Compose project as one value: its files read, their variables expanded, and merged with what
 * they include and extend. */
#ifndef CONVERT_COMPOSE_PROJECT_H
#define CONVERT_COMPOSE_PROJECT_H

#include "convert/import.h"

struct compose_project {
	json_t *root; /* the caller's to json_decref */
	const char *name;
	json_t *profiles;   /* the active ones, as a set; the caller's to json_decref */
	const char **notes; /* unresolved values, "services.web.extends: ..." */
	size_t n_notes;
};

/* Reads the project; a negative errno if one of the source's own files cannot be read. */
int compose_project_read(const struct compose_source *source, struct arena *arena,
			 struct compose_project *ret, struct error *error);

#endif
