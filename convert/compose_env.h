/* Files of environment variables, such as `.env`, as Compose reads them. */
#ifndef CONVERT_COMPOSE_ENV_H
#define CONVERT_COMPOSE_ENV_H

#include "convert/compose_interpolate.h"

/* Adds the file's variables to `variables`, which has those of the environment, too: these keep
 * their values. `by->variables` is `variables`. `file`: its name, for problems. */
void env_file_read(struct interpolation *by, const char *file, const char *text,
		   const json_t *environment, json_t *variables);

#endif
