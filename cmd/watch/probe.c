/* Address probes of the service, in a thread because they take seconds. A link is deferred until
 * its addresses are known to be free; the result triggers another pass. */
#include "reconcile/probe/probe.h"
#include "cmd/watch/internal.h"
#include "lib/clock.h"
#include "lib/memory.h"

#include <pthread.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

/* How long a result is valid: a link is created directly after it. */
#define ANSWER_MS 10000

struct service_probes {
	pthread_t thread;
	bool running;
	int ready;            /* an eventfd that the thread writes to */
	int stop;             /* an eventfd that requests its end */
	struct arena *arena;  /* of these */
	struct probes probes; /* the thread's while it runs, then the answers */
	int64_t answered_at;
};

static void *probe_thread(void *data)
{
	struct service_probes *state = data;
	probes_run(&state->probes);
	(void)eventfd_write(state->ready, 1);
	return NULL;
}

static void answers_take(void *data, int fd, uint32_t events)
{
	struct service *service = data;
	struct service_probes *state = service->probes;
	(void)events;
	(void)eventfd_read(fd, &(eventfd_t){0});
	pthread_join(state->thread, NULL);
	state->running = false;
	state->answered_at = clock_milliseconds();
	service_replan(service);
}

static struct service_probes *probes_new(struct service *service)
{
	struct error error;
	struct service_probes *state = memory_new(1, sizeof(*state));
	state->ready = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	state->stop = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (state->ready >= 0 && state->stop >= 0 &&
	    loop_add(service->loop, state->ready, EPOLLIN, answers_take, service, &error) == 0)
		return state;
	close(state->ready);
	close(state->stop);
	free(state);
	return NULL;
}

/* A copy that outlives the plan. */
static void probes_copy(struct service_probes *state, const struct probes *requested)
{
	arena_free(state->arena);
	state->arena = arena_new();
	state->probes = (struct probes){.arena = state->arena, .stop = state->stop};
	struct mac *known = arena_alloc(state->arena, (requested->n_known + 1) * sizeof(*known));
	for (size_t i = 0; i < requested->n_known; i++)
		known[i] = requested->known[i];
	state->probes.known = known;
	state->probes.n_known = requested->n_known;
	for (size_t i = 0; i < requested->count; i++) {
		struct probe *probe =
			array_push(state->arena, state->probes.items, state->probes.count);
		*probe = requested->items[i];
		probe->link = arena_strdup(state->arena, probe->link);
	}
}

/* A new thread is in the host's namespace only if it is started while the service's own thread
 * is. */
static void probes_start(struct service *service, const struct probes *requested)
{
	if (!service->probes)
		service->probes = probes_new(service);
	struct service_probes *state = service->probes;
	if (state && state->running)
		return;
	if (state)
		probes_copy(state, requested);
	if (state && pthread_create(&state->thread, NULL, probe_thread, state) == 0)
		state->running = true;
	else
		log_write(&service->log, LEVEL_ERROR,
			  "cannot probe addresses on the LAN: out of threads or file descriptors");
}

/* The result for an address, or NULL: it has to be probed. */
static struct probe *answer_of(const struct service *service, const struct probe *requested)
{
	const struct service_probes *state = service->probes;
	if (!state || state->running || clock_milliseconds() - state->answered_at > ANSWER_MS)
		return NULL;
	for (size_t i = 0; i < state->probes.count; i++)
		if (state->probes.items[i].ifindex == requested->ifindex &&
		    ip_equal(&state->probes.items[i].ip, &requested->ip))
			return &state->probes.items[i];
	return NULL;
}

static void conflict(struct service *service, const struct step *step, const struct probe *answer)
{
	struct error error;
	char key[STEP_RETRY_KEY_SIZE];
	const struct outcome outcome = {.state = OUTCOME_FAILED, .error = &error};
	probe_fault(answer, &error);
	report_failure(service, step, &outcome);
	service->metrics.failures++;
	retry_failed(service->retry, step_retry_key(step, key), clock_milliseconds());
}

/* Whether all addresses of a step have a result. */
static bool answered(const struct service *service, const struct probe *requested, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (!answer_of(service, &requested[i]))
			return false;
	return true;
}

/* A result is used once: later steps are probed again. Returns whether all are free. */
static bool answers_use(struct service *service, const struct step *step,
			const struct probe *requested, size_t count)
{
	bool free = true;
	for (size_t i = 0; i < count; i++) {
		struct probe *answer = answer_of(service, &requested[i]);
		answer->ifindex = -1;
		if (free && (answer->in_use || answer->errnum)) {
			conflict(service, step, answer);
			free = false;
		}
	}
	return free;
}

void service_probe(struct service *service, struct selection *selection)
{
	__attribute__((cleanup(arena_cleanup))) struct arena *arena = arena_new();
	struct probes all = probes_of(selection, service->live, arena);
	struct probes unknown = {.arena = arena, .known = all.known, .n_known = all.n_known};
	for (size_t i = 0, end; i < all.count; i = end) {
		const size_t step = all.items[i].step;
		for (end = i; end < all.count && all.items[end].step == step; end++)
			;
		if (answered(service, &all.items[i], end - i)) {
			selection->selected[step] = answers_use(
				service, &selection->plan->steps[step], &all.items[i], end - i);
			continue;
		}
		selection->selected[step] = false;
		/* A missing parent is created first, which requires another observation. */
		for (size_t k = i; k < end && all.items[i].ifindex > 0; k++)
			*array_push(arena, unknown.items, unknown.count) = all.items[k];
	}
	if (unknown.count)
		probes_start(service, &unknown);
}

void service_probe_free(struct service *service)
{
	struct service_probes *state = service->probes;
	if (!state)
		return;
	(void)eventfd_write(state->stop, 1);
	if (state->running)
		pthread_join(state->thread, NULL);
	close(state->ready);
	close(state->stop);
	arena_free(state->arena);
	free(state);
}
