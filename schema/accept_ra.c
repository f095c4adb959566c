/* Checks of the key `accept_ra`. */
#include "schema/driver.h"
#include "schema/internal.h"

/* The reason why the network has no router advertisements, and a hint; NULL: it may have them. */
static const char *network_unfit(const struct network *network, const char **ret_hint)
{
	if (link_mode_routes(network->mode)) {
		*ret_hint = "use mode l2, or remove `accept_ra`";
		return "does not work in modes l3 and l3s, which drop multicasts";
	}
	if (!network->parent) {
		*ret_hint = "add `parent: eth0`, or remove `accept_ra`";
		return "requires a parent: a dummy link has no router";
	}
	return NULL;
}

void accept_ra_check_network(struct build *build, const struct scope *scope,
			     const struct network_info *info, const struct network *network)
{
	const char *hint, *problem = network->accept_ra ? network_unfit(network, &hint) : NULL;
	if (problem && !info->broken)
		report_key(&build->context, CODE_ACCEPT_RA, scope, info->body, "accept_ra", hint,
			   "%s", problem);
}

/* The network's own `accept_ra` was reported already. */
void accept_ra_check_attachment(struct build *build, const struct scope *scope,
				const struct network_info *info,
				const struct attachment *attachment, const struct node *body)
{
	const char *hint, *problem = NULL;
	if (attachment->has_accept_ra && attachment->accept_ra && !info->network->accept_ra)
		problem = network_unfit(info->network, &hint);
	if (problem && !info->broken)
		report_key(&build->context, CODE_ACCEPT_RA, scope, body, "accept_ra", hint, "%s",
			   problem);
}
