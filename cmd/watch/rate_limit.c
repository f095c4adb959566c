#include "cmd/watch/internal.h"
#include "lib/clock.h"

#include <inttypes.h>
#include <stdio.h>

/* In milliseconds. An observation takes far less, about a hundredth, but holds the lock for which
 * others wait. */
#define PRICE_OBSERVE 1000
#define PRICE_LINK    4
#define PRICE_ALL     4000

#define KEY_SIZE 32
#define KEY_ALL  "all"
#define KEY_WIDE "unknown"

static const char *key_of(const struct live_ns *ns, char key[KEY_SIZE])
{
	snprintf(key, KEY_SIZE, "%ju", (uintmax_t)ns->inode);
	return key;
}

static int64_t price_of(const struct live_ns *ns)
{
	return PRICE_OBSERVE + PRICE_LINK * (int64_t)ns->n_links +
	       (int64_t)(ns->n_addrs + ns->n_routes) / 2;
}

/* Earlier than it is set for, if necessary. */
static void timer_sooner(struct service *service, int64_t left)
{
	const int64_t due = clock_microseconds() + left * 1000;
	if (!service->rate_limit_timer.due || service->rate_limit_timer.due > due)
		loop_timer_set(service->loop, &service->rate_limit_timer, left);
}

/* Whether it may be executed now; if so, it is charged. If not, the timer is set. */
static bool credit_take(struct service *service, const char *key, int64_t price)
{
	const int64_t now = clock_milliseconds(),
		      left = retry_left(service->rate_credits, key, now);
	if (left > 0)
		timer_sooner(service, left);
	else
		retry_spend(service->rate_credits, key, price, now);
	return left <= 0;
}

static bool ns_take(struct service *service, struct live_ns *ns)
{
	char key[KEY_SIZE];
	active_add(&service->active, ns);
	ns->rate_limited = !credit_take(service, key_of(ns, key), price_of(ns));
	if (ns->rate_limited && !ns->rate_limit_reported)
		log_write(&service->log, LEVEL_NOTICE,
			  "network namespace %s changes too often: it is read less often",
			  ns->name);
	ns->rate_limit_reported |= ns->rate_limited;
	ns->tagged &= ns->rate_limited;
	return !ns->rate_limited;
}

bool rate_limit_defers(struct service *service, struct live_ns *ns)
{
	return !ns_take(service, ns);
}

static bool all_take(struct service *service)
{
	if (!credit_take(service, KEY_ALL, PRICE_ALL))
		return false;
	log_write(&service->log, LEVEL_WARNING,
		  "events of the kernel were lost: reading the host again");
	service_mark_stale(service);
	return true;
}

void events_lost(struct service *service)
{
	if (service->lost || all_take(service))
		return;
	service->lost = true;
	log_write(&service->log, LEVEL_WARNING,
		  "events of the kernel are lost repeatedly: reading the host again later");
}

void namespaces_search(struct service *service)
{
	service->search_deferred = !credit_take(service, KEY_WIDE, PRICE_OBSERVE);
	if (service->search_deferred)
		return;
	service->wide = true;
	service_replan(service);
}

void rate_limit_due(void *data)
{
	struct service *service = data;
	if (service->lost && all_take(service))
		return;
	if (service->search_deferred)
		namespaces_search(service);
	for (size_t i = 0; i < active_count(&service->active, service->live); i++) {
		struct live_ns *ns = active_at(&service->active, service->live, i);
		if (!ns->rate_limited || !ns_take(service, ns))
			continue;
		service_ns_stale(service, ns);
		service->dirty = true;
	}
}
