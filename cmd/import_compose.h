/* The files of a Compose project for `import compose`. */
#ifndef CMD_IMPORT_COMPOSE_H
#define CMD_IMPORT_COMPOSE_H

#include "cmd/options.h"
#include "convert/yaml_tree.h"
#include "schema/source_text.h"

/* The files that the arguments name, in the arena: of a folder, the Compose file and its override;
 * of one file that Compose would find by itself, its override, too. */
const char **import_compose_paths(const struct options *options, size_t *ret_count);

/* Imports the files, which have been read, and the files that they name. NULL: the error says why.
 */
struct tree *import_compose_files(const struct options *options, const struct input *inputs,
				  size_t count, struct error *error);

#endif
