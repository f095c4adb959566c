/* Writes the configuration that `export` or `import` made, in the format of the options. */
#ifndef CMD_YAML_OUTPUT_H
#define CMD_YAML_OUTPUT_H

#include "cmd/options.h"
#include "convert/yaml_tree.h"
#include "reconcile/state/state.h"

struct converted {
	const char *comment; /* printed above everything else */
	const struct live
		*live; /* the fingerprint of the observation; NULL: not from a live state */
	struct tree **documents;
	size_t count;
};

/* Writes them to stdout, as YAML documents or as JSON. Returns an exit code. */
int converted_write(const struct converted *converted, const struct options *options);

#endif
