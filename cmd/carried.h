/* Declarations that were made, by `export` and `import`, written as the options want it. */
#ifndef CMD_CARRIED_H
#define CMD_CARRIED_H

#include "carry/tree.h"
#include "cmd/options.h"

struct carried {
	const char *comment; /* stands above all */
	struct tree **documents;
	size_t count;
};

/* Writes them to stdout, as YAML documents or as JSON. Returns EXIT_CONVERGED. */
int carried_write(const struct carried *carried, const struct options *options);

#endif
