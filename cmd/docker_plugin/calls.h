/* Answers Docker's calls of the network driver and the IPAM driver. */
#ifndef CMD_DOCKER_PLUGIN_CALLS_H
#define CMD_DOCKER_PLUGIN_CALLS_H

#include "cmd/attach/started.h"
#include "cmd/docker_plugin/files.h"
#include "cmd/docker_plugin/state.h"
#include "cmd/options.h"
#include "container_engine/docker_call.h"

#include <jansson.h>

struct announcer;

/* A call in progress. */
struct docker_work {
	const struct options *options;
	const struct docker_files *files; /* read since the call arrived */
	struct arena *arena;
	struct plugin_state *state; /* of a worker: a copy, whose changes are lost */
	const struct docker_call *call;
	const char *scratch;         /* the path of an empty namespace (struct docker_plugin) */
	struct announcer *announcer; /* of a worker: what is announced after the answer */
};

/* Whether the call may have to wait, and runs in a process of its own. */
bool docker_call_waits(enum docker_method method);
/* Whether the answer needs the files. */
bool docker_call_reads(enum docker_method method);
/* Whether it reserves an address in `state`: one such call runs at a time, and has the lock. */
bool docker_call_chooses(enum docker_method method);
/* Returns the answer, which the caller owns, or NULL with an error. */
json_t *docker_call_answer(const struct docker_work *work, struct error *error);
/* The answer to a call that failed. */
json_t *docker_call_failed(bool ipam, const struct error *error);
/* What is to be remembered of a call before it runs. */
void docker_call_note(struct plugin_state *state, const struct docker_call *call);

/* ipam.c */
json_t *docker_request_pool(const struct docker_work *work, struct error *error);
json_t *docker_request_address(const struct docker_work *work, struct error *error);
json_t *docker_release_address(const struct docker_work *work, struct error *error);
/* Of networks with this subnet, which must be one; family 0: of all. */
int docker_network_of_subnet(const struct desired *desired, const struct prefix *subnet,
			     struct network_of_set *ret, struct error *error);
/* The network that the option names. */
int docker_network_named(const struct desired *desired, const char *name,
			 struct network_of_set *ret, struct error *error);

/* driver.c */
json_t *docker_create_network(const struct docker_work *work, struct error *error);
json_t *docker_delete_network(const struct docker_work *work, struct error *error);
json_t *docker_create_endpoint(const struct docker_work *work, struct error *error);
json_t *docker_delete_endpoint(const struct docker_work *work, struct error *error);
json_t *docker_join(const struct docker_work *work, struct error *error);

#endif
