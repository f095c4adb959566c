#include "cmd/progress.h"

#include "cmd/terminal.h"
#include "lib/memory.h"

#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define PATIENCE_MS 1000 /* shorter operations have no line */
#define INTERVAL_MS 200

/* ECMA-48: moves to the start of the line, and clears it. */
#define LINE_EMPTY "\r\033[K"

struct progress {
	pthread_t thread;
	pthread_mutex_t mutex; /* guards the members below, except `done` */
	pthread_cond_t wake;
	bool over;
	const char *what;
	size_t total;
	atomic_size_t done;
};

static struct timespec after(struct timespec time, long milliseconds)
{
	time.tv_nsec += milliseconds * 1000000L;
	time.tv_sec += time.tv_nsec / 1000000000L;
	time.tv_nsec %= 1000000000L;
	return time;
}

/* A stopped terminal (by Ctrl-S, or without a reader) accepts no output, and must not delay the
 * operation. */
static bool takes_more(void)
{
	struct pollfd polled = {.fd = STDERR_FILENO, .events = POLLOUT};
	return poll(&polled, 1, 0) == 1 && polled.revents & POLLOUT;
}

static void draw(struct progress *progress)
{
	if (!progress->what || !takes_more())
		return;
	fprintf(stderr, LINE_EMPTY "%s", progress->what);
	/* A retry counts again. */
	size_t done = atomic_load(&progress->done);
	if (progress->total)
		fprintf(stderr, ": %zu of %zu", done < progress->total ? done : progress->total,
			progress->total);
	fflush(stderr);
}

static void *line_keep(void *data)
{
	struct progress *progress = data;
	struct timespec next;
	bool drawn = false;
	clock_gettime(CLOCK_MONOTONIC, &next);
	next = after(next, PATIENCE_MS);
	pthread_mutex_lock(&progress->mutex);
	while (!progress->over) {
		if (pthread_cond_timedwait(&progress->wake, &progress->mutex, &next) == 0)
			continue;
		draw(progress);
		drawn = true;
		next = after(next, INTERVAL_MS);
	}
	if (drawn && takes_more())
		fputs(LINE_EMPTY, stderr);
	pthread_mutex_unlock(&progress->mutex);
	return NULL;
}

struct progress *progress_begin(const struct options *options)
{
	pthread_condattr_t clock;
	if (options->quiet || options->watch_seconds || !terminal_draws(STDERR_FILENO))
		return NULL;
	struct progress *progress = memory_new(1, sizeof(*progress));
	pthread_mutex_init(&progress->mutex, NULL);
	pthread_condattr_init(&clock);
	pthread_condattr_setclock(&clock, CLOCK_MONOTONIC);
	pthread_cond_init(&progress->wake, &clock);
	pthread_condattr_destroy(&clock);
	if (pthread_create(&progress->thread, NULL, line_keep, progress) == 0)
		return progress;
	free(progress);
	return NULL;
}

void progress_phase(struct progress *progress, const char *what, size_t total)
{
	if (!progress)
		return;
	pthread_mutex_lock(&progress->mutex);
	progress->what = what;
	progress->total = total;
	atomic_store(&progress->done, 0);
	pthread_mutex_unlock(&progress->mutex);
}

atomic_size_t *progress_counter(struct progress *progress)
{
	return progress ? &progress->done : NULL;
}

void progress_end(struct progress *progress)
{
	if (!progress)
		return;
	pthread_mutex_lock(&progress->mutex);
	progress->over = true;
	pthread_cond_signal(&progress->wake);
	pthread_mutex_unlock(&progress->mutex);
	pthread_join(progress->thread, NULL);
	pthread_cond_destroy(&progress->wake);
	pthread_mutex_destroy(&progress->mutex);
	free(progress);
}
