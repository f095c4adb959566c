/* The few namespaces of the state that a pass has to visit: those that may have changed, were read
 * again, or are open. Without this list each pass would visit all. */
#ifndef CMD_WATCH_ACTIVE_H
#define CMD_WATCH_ACTIVE_H

#include "reconcile/state/state.h"

/* With more of them, a pass visits all namespaces. */
#define ACTIVE_MAX 16

/* Zeroed: all are active. */
struct active {
	bool some; /* false: all are, and containers may be stale */
	struct live_ns *namespaces[ACTIVE_MAX];
	size_t count;
};

/* Before the namespace is marked as stale, rate limited or open. */
void active_add(struct active *active, struct live_ns *ns);
/* The state's list of namespaces has changed, or a container is stale. */
void active_all(struct active *active);
/* The active namespaces; 0 without a state. */
size_t active_count(const struct active *active, const struct live *live);
struct live_ns *active_at(const struct active *active, const struct live *live, size_t number);
/* After a pass: keeps those that are still active. All stay so while a container is stale. */
void active_finish(struct active *active, const struct live *live);

#endif
