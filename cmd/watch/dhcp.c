/* DHCP leases of the service, requested beside other work because a server may not answer. A link
 * is created without a lease; then the lease is requested, and the step that assigns it is deferred
 * until the answer. */
#include "reconcile/plan/dhcp.h"
#include "cmd/watch/internal.h"
#include "dhcp/broker.h"
#include "dhcp/client.h"
#include "kernel/netns.h"
#include "lib/clock.h"
#include "lib/memory.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

/* How long an answer is valid: it is used immediately after its arrival. */
#define ANSWER_MS 10000

struct pending {
	struct pending *next;
	struct service *service;
	char *key;   /* the link's owner tag */
	ino_t inode; /* cookie of its namespace, */
	int ifindex; /* and its ifindex there */
	int fd;      /* descriptor of the answer; -1: the answer has arrived */
	struct dhcp_answer answer;
	int64_t answered_at; /* milliseconds */
};

static void pending_free(struct pending *pending)
{
	if (pending->fd >= 0) {
		loop_remove(pending->service->loop, pending->fd);
		close(pending->fd);
	}
	free(pending->key);
	free(pending);
}

static void answer_take(void *data, int fd, uint32_t events)
{
	struct pending *pending = data;
	(void)events;
	loop_remove(pending->service->loop, fd);
	dhcp_broker_receive(fd, &pending->answer);
	pending->fd = -1;
	pending->answered_at = clock_milliseconds();
	service_replan(pending->service);
}

/* The pending or answered request for the current link of the step. */
static struct pending **pending_of(struct service *service, const struct step *step)
{
	struct pending **at = &service->leases;
	while (*at && strcmp((*at)->key, step_key(step)) != 0)
		at = &(*at)->next;
	return at;
}

static void pending_remove(struct pending **at)
{
	struct pending *pending = *at;
	*at = pending->next;
	pending_free(pending);
}

static bool pending_is_valid(const struct pending *pending, const struct step *step)
{
	return pending->inode == step->desired->ns->inode &&
	       pending->ifindex == step->current->ifindex &&
	       (pending->fd >= 0 || clock_milliseconds() - pending->answered_at < ANSWER_MS);
}

/* A request that cannot be sent is answered as failed immediately. */
static void pending_add(struct service *service, const struct step *step)
{
	struct error error;
	struct pending *pending = memory_new(1, sizeof(*pending));
	struct pending_request request = {.netns = step->desired->ns->handle->fd,
					  .request = lease_request(step->desired)};
	*pending = (struct pending){.next = service->leases,
				    .service = service,
				    .key = memory_or_die(strdup(step_key(step))),
				    .inode = step->desired->ns->inode,
				    .ifindex = step->current->ifindex,
				    .fd = dhcp_broker_send(service->options->broker, &request),
				    .answer = request.answer,
				    .answered_at = clock_milliseconds()};
	service->leases = pending;
	if (pending->fd < 0)
		service_replan(service);
	else if (loop_add(service->loop, pending->fd, EPOLLIN, answer_take, pending, &error) < 0)
		answer_take(pending, pending->fd, 0);
}

static size_t count_under_way(const struct service *service)
{
	size_t count = 0;
	for (const struct pending *pending = service->leases; pending; pending = pending->next)
		count += pending->fd >= 0;
	return count;
}

/* The step changes only the lease, so the whole step is deferred. */
static bool only_lease_changes(const struct step *step)
{
	return step->action == ACTION_CHANGE && step->n_changes == 1 && !step->temporary.name &&
	       !step->temporary.mac;
}

static void step_wait(struct selection *selection, struct leases *leases, size_t number)
{
	if (only_lease_changes(&selection->plan->steps[number]))
		selection->selected[number] = false;
	else
		leases->deferred[number] = true;
}

/* An answer is used once. */
static const struct dhcp_answer *answer_use(struct arena *arena, struct pending **at)
{
	struct dhcp_answer *answer = arena_alloc(arena, sizeof(*answer));
	*answer = (*at)->answer;
	pending_remove(at);
	return answer;
}

static void step_lease(struct service *service, struct selection *selection, struct leases *leases,
		       size_t number)
{
	const struct step *step = &selection->plan->steps[number];
	struct pending **at = pending_of(service, step);
	if (*at && !pending_is_valid(*at, step))
		pending_remove(at);
	at = pending_of(service, step);
	if (*at && (*at)->fd < 0) {
		leases->answers[number] = answer_use(selection->arena, at);
		return;
	}
	if (!*at && only_lease_changes(step) && count_under_way(service) < CLIENTS_AT_ONCE)
		pending_add(service, step);
	step_wait(selection, leases, number);
}

static bool requests_lease(const struct selection *selection, const struct step *step)
{
	return selection_has(selection, step) && step_leases(step) && step->action == ACTION_CHANGE;
}

static bool any_requests(const struct selection *selection, const struct pending *pending)
{
	const struct plan *plan = selection->plan;
	for (size_t i = 0; i < plan->n_steps; i++)
		if (requests_lease(selection, &plan->steps[i]) &&
		    strcmp(step_key(&plan->steps[i]), pending->key) == 0)
			return true;
	return false;
}

/* Requests that are not needed any more. A running client would keep the namespace, with its links
 * (dhcp_broker_send). */
static void pending_drop(struct service *service, const struct selection *selection)
{
	for (struct pending **at = &service->leases; *at;) {
		const struct pending *pending = *at;
		const bool old =
			pending->fd < 0 && clock_milliseconds() - pending->answered_at >= ANSWER_MS;
		if (old || (pending->fd >= 0 && !any_requests(selection, pending)))
			pending_remove(at);
		else
			at = &(*at)->next;
	}
}

struct leases service_lease(struct service *service, struct selection *selection)
{
	const struct plan *plan = selection->plan;
	struct leases leases = leases_unknown(plan, selection->arena);
	bool any = false;
	pending_drop(service, selection);
	for (size_t i = 0; i < plan->n_steps; i++) {
		const struct step *step = &plan->steps[i];
		any |= requests_lease(selection, step);
		leases.deferred[i] = step_leases(step) && step->action != ACTION_CHANGE;
	}
	/* A link that is gone is handled by the next observation. */
	if (!any || !service_reopen(service, selection))
		return leases;
	for (size_t i = 0; i < plan->n_steps; i++)
		if (requests_lease(selection, &plan->steps[i]))
			step_lease(service, selection, &leases, i);
	return leases;
}

/* The broker cannot be forked again: the service has dropped its privileges. */
static void helper_ended(void *data, int fd, uint32_t events)
{
	struct service *service = data;
	struct error error;
	(void)events;
	loop_remove(service->loop, fd);
	error_set(&error, EPIPE, "the DHCP broker process has ended, so the service stops");
	error_code(&error, CODE_DHCP_CLIENT);
	error_hint(&error,
		   "restart the service, as systemd does; check whether the kernel ran out of "
		   "memory and killed the broker");
	log_error(&service->log, LEVEL_ERROR, NULL, &error);
	service->broken = true;
	loop_stop(service->loop);
}

int service_lease_listen(struct service *service, struct error *error)
{
	const int fd = dhcp_broker_descriptor(service->options->broker);
	return fd < 0 ? 0 : loop_add(service->loop, fd, 0, helper_ended, service, error);
}

void service_lease_free(struct service *service)
{
	while (service->leases)
		pending_remove(&service->leases);
}
