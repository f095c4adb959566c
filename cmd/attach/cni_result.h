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

/* Whether the result has that interface in the namespace; sets *ret_mac (or NULL) and the addresses
 * in the arena. */
bool cni_result_interface(const json_t *result, const char *ifname, const char *netns,
			  struct arena *arena, const char **ret_mac, struct prefix **ret_addrs,
			  size_t *ret_count);

#endif
