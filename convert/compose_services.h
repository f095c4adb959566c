/* The services of a Compose project, as containers. */
#ifndef CONVERT_COMPOSE_SERVICES_H
#define CONVERT_COMPOSE_SERVICES_H

#include "convert/compose_project.h"

/* How a network of the project is there for its services. */
enum compose_network_kind { NETWORK_LEFT, NETWORK_CONVERTED };

struct compose_network {
	const char *name;   /* its key */
	const char *engine; /* Docker's name of it */
	enum compose_network_kind kind;
	bool internal;
	unsigned gateways; /* families with a way out */
	bool undeclared;   /* Compose refuses the file */
};

struct compose_networks {
	struct compose_network *items;
	size_t count;
	json_t *numbers; /* of the items, by their names */
};

/* Why Compose starts no container of the service, or NULL. */
const char *compose_service_idle(const struct compose_project *project, const json_t *service,
				 struct arena *arena);

/* The networks of a service as a map; "default" if it sets none. The caller frees it with
 * json_decref. */
json_t *compose_service_networks(const json_t *service);

/* Writes the containers into the document. */
void compose_services(const struct compose_project *project,
		      const struct compose_networks *networks, struct tree *document);

#endif
