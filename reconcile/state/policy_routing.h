/* Policy routing in a container's namespace: a managed default route beside that of another
 * program, as engines add one. Pure.
 *
 * The other default route stays in the main table, where its program expects it. The managed one is
 * in POLICY_TABLE, and rules lead to it, in this order:
 *
 *     from ADDRESS lookup POLICY_TABLE_ANSWERS       for each address of the link that has the
 * other default route from all lookup main suppress_prefixlength 0   all other routes of main come
 * first from all lookup POLICY_TABLE
 *
 * POLICY_TABLE_ANSWERS has the subnets of that link and the other default route: a connection that
 * came in by the link, as those to published ports do, is answered by it, also if the client is on
 * the LAN. Another link with a default route is answered by the main table.
 *
 * Rejected: the main table for answers, as its route to the LAN precedes the other default route.
 * Rejected: a rule for the subnet of the link, as packets that the container forwards have its
 * sources, too. Rejected: `iif`, which is the loopback link for all answers. */
#ifndef RECONCILE_STATE_POLICY_ROUTING_H
#define RECONCILE_STATE_POLICY_ROUTING_H

#include "reconcile/state/state.h"

/* The last ones before the kernel's own rules, 32766 and 32767. */
#define POLICY_PRIORITY_ANSWERS 32763
#define POLICY_PRIORITY_MAIN    32764
#define POLICY_PRIORITY_DEFAULT 32765

/* The next default route of the family in the main table that is no managed one, on a link without
 * an owner tag that is not `adopted` (may be NULL); `after` NULL: the first. NULL: there is none.
 */
const struct live_route *policy_other_default(const struct live_ns *ns, uint8_t family,
					      const struct live_link *adopted,
					      const struct live_route *after);
/* Whether the namespace has a managed default route of the family in POLICY_TABLE. */
bool policy_has_default(const struct live_ns *ns, uint8_t family);
/* Whether rules of mvapply may exist in the namespace, or may be needed by the containers in it. */
bool policy_possible(const struct live_ns *ns, const struct container *const *containers,
		     size_t count);
/* Adds what a default route of the family in POLICY_TABLE needs. */
void policy_add(struct arena *arena, const struct live_ns *ns, uint8_t family,
		const struct live_link *adopted, struct policy *policy);
bool policy_rule_equal(const struct policy_rule *a, const struct policy_rule *b);
bool policy_has_rule(const struct policy *policy, const struct policy_rule *rule);
bool policy_has_route(const struct policy *policy, const struct link_route *route);
/* NULL is an empty one, too. */
bool policy_empty(const struct policy *policy);
/* A copy in the arena; NULL if it is empty. */
const struct policy *policy_keep(struct arena *arena, struct policy policy);
/* The part of the policy that the other one lacks. */
struct policy policy_without(struct arena *arena, const struct policy *policy,
			     const struct policy *other);
/* Whether it has one of the priorities above. */
bool policy_rule_reserved(const struct policy_rule *rule);
/* Whether the rule is mvapply's: others at the same priority are not. Those of a file lead to a
 * table other than main. */
bool live_rule_managed(const struct live_rule *rule);
/* The link that a rule of the file belongs to: the first with a managed route in its table; where
 * none has one, the first attachment. NULL: there is none. */
const struct live_link *policy_rule_link(const struct live_ns *ns, const struct policy_rule *rule);
/* The same of a managed route that leads nowhere. NULL: there is none, it is not managed, or links
 * of several sets are in the namespace: which of them has made the route is unknown. */
const struct live_link *policy_typed_link(const struct live_ns *ns, const struct live_route *route);
/* Whether the namespace has the rule with mvapply's protocol, or the route. */
bool live_rule_exists(const struct live_ns *ns, const struct policy_rule *rule);
bool live_policy_route_exists(const struct live_ns *ns, const struct link_route *route);
/* All managed rules and routes of the namespace. */
struct policy policy_of_namespace(struct arena *arena, const struct live_ns *ns);
/* Those for the link's routes: rules of the file that lead to its tables, and of the families of
 * which it has the default route in POLICY_TABLE. Of a family of which no link has it, they count
 * as the first attachment's. */
struct policy policy_of_link(struct arena *arena, const struct live_ns *ns,
			     const struct live_link *link);

/* "32764 from all lookup main suppress_prefixlength 0", as `ip rule` shows it; " (IPv6)" at the end
 * of one of IPv6. */
#define POLICY_RULE_TEXT_SIZE 256
/* The same without the priority and the family, as `ip rule add` takes it. */
const char *policy_rule_terms(const struct policy_rule *rule, char text[POLICY_RULE_TEXT_SIZE]);
const char *policy_rule_format(const struct policy_rule *rule, char text[POLICY_RULE_TEXT_SIZE]);

#endif
