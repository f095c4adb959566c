/* Policy routing in a container's namespace: a managed default route beside that of another
 * program, as engines add one. Pure.
 *
 * The other default route stays in the main table, where its program expects it. Ours is in
 * POLICY_TABLE, and rules lead to it, in this order:
 *
 *     from ADDRESS lookup main                   for each address of a link that has the other
 *                                                default route: connections that come in by that
 *                                                link are answered by it
 *     from all lookup main suppress_prefixlength 0   all other routes of main come first
 *     from all lookup POLICY_TABLE
 *
 * Rejected: a rule for the subnet of such a link, as packets that the container forwards have its
 * sources, too. Rejected: `iif`, which is the loopback link for all answers. */
#ifndef RECONCILE_STATE_POLICY_ROUTING_H
#define RECONCILE_STATE_POLICY_ROUTING_H

#include "reconcile/state/state.h"

/* The last ones before the kernel's own rules, 32766 and 32767. */
#define POLICY_PRIORITY_ANSWERS 32763
#define POLICY_PRIORITY_MAIN    32764
#define POLICY_PRIORITY_DEFAULT 32765

struct policy_rules {
	struct policy_rule *all;
	size_t count;
};

/* The next default route of the family in the main table that is no managed one, on a link without
 * an owner tag that is not `adopted` (may be NULL); `after` NULL: the first. NULL: there is none.
 */
const struct live_route *policy_other_default(const struct live_ns *ns, uint8_t family,
					      const struct live_link *adopted,
					      const struct live_route *after);
/* The managed default route of the family in POLICY_TABLE, or NULL. */
const struct live_route *policy_default(const struct live_ns *ns, uint8_t family);
/* Whether rules of mvapply may exist in the namespace, or may be needed by the containers in it. */
bool policy_possible(const struct live_ns *ns, const struct container *const *containers,
		     size_t count);
/* The rules of the family that a default route in POLICY_TABLE needs; added to the list. */
void policy_rules_add(struct arena *arena, const struct live_ns *ns, uint8_t family,
		      const struct live_link *adopted, struct policy_rules *rules);
bool policy_rule_equal(const struct policy_rule *a, const struct policy_rule *b);
bool policy_rules_have(const struct policy_rules *rules, const struct policy_rule *rule);
/* Whether the rule is mvapply's: others at the same priority are not. */
bool live_rule_managed(const struct live_rule *rule);
/* Whether the namespace has the rule, with mvapply's protocol. */
bool live_rule_exists(const struct live_ns *ns, const struct policy_rule *rule);
/* The managed rules for the link's routes: of the families of which it has the default route in
 * POLICY_TABLE. Of a family of which no link has it, they count as the first attachment's. */
struct policy_rules policy_rules_of(struct arena *arena, const struct live_ns *ns,
				    const struct live_link *link);

/* "32764 from all lookup main suppress_prefixlength 0", as `ip rule` shows it; " (IPv6)" at the end
 * of one of IPv6. */
#define POLICY_RULE_TEXT_SIZE 128
const char *policy_rule_format(const struct policy_rule *rule, char text[POLICY_RULE_TEXT_SIZE]);

#endif
