/* Prints a plan as shell commands of iproute2's ip, for review and replay. */
#ifndef CMD_OUTPUT_IP_H
#define CMD_OUTPUT_IP_H

#include "cmd/output_text.h"
#include "reconcile/observe/netns_owner.h"
#include "reconcile/plan/plan.h"

/* How commands reach a namespace. */
struct ip_netns {
	const char *ip;    /* "ip", "ip -n web", "nsenter --net=PATH ip" */
	const char *enter; /* "", "nsenter --net=PATH " */
	const char *netns; /* behind `ip link set DEV netns`; NULL: it is the host's */
};

/* Texts go to the arena, quoted for a POSIX shell where that is needed. `origins` are those of
 * live->spaces. */
struct ip_netns ip_netns_of(struct arena *arena, const struct live *live,
			    const struct origin *origins, const struct live_ns *ns);
const char *shell_quote(struct arena *arena, const char *text);
/* The bytes that a name stands for (lib/escape.h). */
const char *shell_quote_name(struct arena *arena, const char *name);

/* Writes the commands in the order in which apply would do the same; what it would not do, as
 * comments. */
void ip_plan(const struct text *text, const struct plan *plan, const struct live *live,
	     const struct origin *origins);

#endif
