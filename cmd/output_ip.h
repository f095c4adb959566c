/* Prints a plan as shell commands of iproute2's ip, for review and replay. */
#ifndef CMD_OUTPUT_IP_H
#define CMD_OUTPUT_IP_H

#include "cmd/output_text.h"
#include "reconcile/observe/netns_owner.h"
#include "reconcile/plan/plan.h"

/* The prefixes of commands in a namespace. */
struct ip_netns {
	const char *ip;    /* "ip", "ip -n web", "nsenter --net=PATH ip" */
	const char *enter; /* "", "nsenter --net=PATH " */
	const char *netns; /* argument of `ip link set DEV netns`; NULL: the host's namespace */
};

/* Texts go to the arena, quoted for a POSIX shell if necessary. `origins` are those of
 * live->namespaces. */
struct ip_netns ip_netns_of(struct arena *arena, const struct live *live,
			    const struct origin *origins, const struct live_ns *ns);
const char *shell_quote(struct arena *arena, const char *text);
/* The bytes of an escaped name (lib/escape.h). */
const char *shell_quote_name(struct arena *arena, const char *name);

/* Writes the commands in the order of apply; steps that apply would not do become comments. */
void ip_plan(const struct text *text, const struct plan *plan, const struct live *live,
	     const struct origin *origins);

#endif
