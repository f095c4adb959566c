/* Imports the configurations of Docker, Compose and CNI. Unsupported keys become comments at their
 * place. Pure: the caller reads the files and queries the engine. */
#ifndef CONVERT_IMPORT_H
#define CONVERT_IMPORT_H

#include "convert/yaml_tree.h"
#include "lib/error.h"

#include <jansson.h>
#include <stdbool.h>

struct input;

/* The inputs of the import of a Compose project other than the named files. */
struct compose_source {
	const struct input *inputs; /* the files, later ones over earlier ones */
	size_t n_inputs;
	bool found;            /* they were found in a folder, or beside the one that is named */
	const char *directory; /* of the project, which paths in the files are relative to */
	const char *project;   /* its name where neither a file nor the environment has one */
	const json_t *environment;
	/* Reads a file that another one names, into *ret; false: *ret_problem has the reason, as
	 * "is owned by user 5". NULL: none is read. */
	bool (*read)(void *data, const char *path, struct input *ret, const char **ret_problem);
	void *data;
};

/* A Compose project (https://github.com/compose-spec/compose-spec). NULL: the error says which file
 * cannot be read. */
struct tree *import_compose(const struct compose_source *source, struct arena *arena,
			    struct error *error);

/* The results of the engine's API: GET /networks, and GET /containers/ID/json for each
 * container. */
struct tree *import_docker(const json_t *networks, const json_t *containers, struct arena *arena);

/* A list of CNI network configurations, each a conf or a conflist (CNI specification, "Section 1"),
 * or a NetworkAttachmentDefinition of Kubernetes or a List of them, whose configurations are named
 * after their metadata. */
struct tree *import_cni(const json_t *documents, struct arena *arena);

/* Networks and containers of Podman, from libpod's API: GET /libpod/networks/json, and GET
 * /libpod/containers/ID/json for each container. */
struct tree *import_podman(const json_t *networks, const json_t *containers, struct arena *arena);

/* Podman's Quadlet files with the endings .network and .container. */
struct tree *import_quadlet(const struct input *inputs, size_t count, struct arena *arena);

#endif
