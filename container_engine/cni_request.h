/* Parses a call of a CNI plugin: the environment, and the network configuration on the standard
 * input (CNI specification 1.1.0, sections 1 and 2). Pure. */
#ifndef CONTAINER_ENGINE_CNI_REQUEST_H
#define CONTAINER_ENGINE_CNI_REQUEST_H

#include "lib/arena.h"
#include "lib/error.h"
#include "lib/ip.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

/* The newest version, and all, with NULL after the last. */
#define CNI_VERSION "1.1.0"
extern const char *const cni_versions[];

enum cni_command { CNI_ADD, CNI_DEL, CNI_CHECK, CNI_GC, CNI_STATUS, CNI_VERSIONS };

/* The parameters in the environment; NULL: not set. */
struct cni_environment {
	const char *command, *container_id, *netns, *ifname, *args;
};

/* One interface of one container. */
struct cni_interface {
	const char *container_id, *ifname;
};

/* Strings are in the arena, except those in `previous`. */
struct cni_request {
	enum cni_command command;
	const char *version;            /* one of cni_versions */
	struct cni_interface interface; /* NULLs for GC, STATUS and VERSION */
	const char *netns;              /* an absolute path; NULL: not given (DEL alone) */
	const char *name;               /* of the configuration */
	const char *network;            /* "NETWORK" or "SET/NETWORK" */
	const char **files;             /* absolute paths */
	size_t n_files;
	const char *pod_namespace, *pod_name; /* NULL: not Kubernetes */
	struct ip ipv4, ipv6;                 /* family 0: not requested */
	struct mac mac;                       /* unset: not requested */
	struct cni_interface *valid;          /* GC: the interfaces to keep */
	size_t n_valid;
	json_t *previous; /* prevResult, owned by the caller; NULL: not given */
};

/* Returns 0, or a negative errno. Even then ret->version is a version for the answer, and the
 * caller releases ret->previous with json_decref. */
int cni_request_parse(const struct cni_environment *environment, const char *bytes, size_t size,
		      struct arena *arena, struct cni_request *ret, struct error *error);

#endif
