#include "cmd/watch/active.h"

static bool is_active(const struct live_ns *ns)
{
	return ns->stale || ns->reread || (ns->handle && !ns->host) || ns->rate_limited ||
	       ns->tagged;
}

static bool has(const struct active *active, const struct live_ns *ns)
{
	for (size_t i = 0; i < active->count; i++)
		if (active->namespaces[i] == ns)
			return true;
	return false;
}

void active_add(struct active *active, struct live_ns *ns)
{
	if (!active->some || has(active, ns))
		return;
	if (active->count == ACTIVE_MAX)
		active_all(active);
	else
		active->namespaces[active->count++] = ns;
}

void active_all(struct active *active)
{
	*active = (struct active){.some = false};
}

size_t active_count(const struct active *active, const struct live *live)
{
	if (!live)
		return 0;
	return active->some ? active->count : live->n_namespaces;
}

struct live_ns *active_at(const struct active *active, const struct live *live, size_t number)
{
	return active->some ? active->namespaces[number] : live->namespaces[number];
}

static bool any_lookup_stale(const struct live *live)
{
	for (size_t i = 0; i < live->n_containers; i++)
		if (live->container_lookups[i].stale)
			return true;
	return false;
}

void active_finish(struct active *active, const struct live *live)
{
	struct active kept = {.some = true};
	if (!active->some && any_lookup_stale(live))
		return;
	for (size_t i = 0; kept.some && i < active_count(active, live); i++) {
		struct live_ns *ns = active_at(active, live, i);
		if (is_active(ns))
			active_add(&kept, ns);
	}
	*active = kept;
}
