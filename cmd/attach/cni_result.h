/* The answers of a CNI plugin, as JSON (CNI specification 1.1.0, section 5). The caller owns them.
 */
#ifndef CMD_ATTACH_CNI_RESULT_H
#define CMD_ATTACH_CNI_RESULT_H

#include "container_engine/cni_request.h"
#include "kernel/link.h"

/* The result of ADD: prevResult with the link added. `network`: whose gateways it has. */
json_t *cni_added(const struct cni_request *request, const struct network *network,
		  const struct link_spec *spec);
json_t *cni_failed(const struct cni_request *request, const struct error *error);
/* The answer to VERSION. */
json_t *cni_supported(const struct cni_request *request);

/* What prevResult has of the interface of a call. */
struct cni_previous {
	const char *sandbox, *mac; /* NULL: not given */
	struct prefix *addrs;
	size_t n_addrs;
	struct prefix *others; /* the addresses of other interfaces */
	size_t n_others;
	struct link_route *routes; /* of all interfaces; 0: a number that it does not give */
	size_t n_routes;
};

/* Whether request->previous has the interface; strings are its own, all else is in the arena. */
bool cni_previous_parse(const struct cni_request *request, struct arena *arena,
			struct cni_previous *ret);

#endif
