#include "cmd/commands.h"
#include "cmd/exit.h"
#include "cmd/output.h"
#include "cmd/watch/internal.h"
#include "cmd/watch/log_queue.h"
#include "cmd/watch/notices.h"
#include "cmd/watch/sd_notify.h"

#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

static bool reads_stdin(const struct options *options)
{
	for (size_t i = 0; i < options->n_files; i++)
		if (strcmp(options->files[i], "-") == 0)
			return true;
	return false;
}

static int usage_stdin(const struct options *options)
{
	return usage_error(options, CODE_OPTION_VALUE, "name a file or a directory with -f",
			   "watch cannot watch standard input");
}

static void log_ready(void *data, int fd, uint32_t events)
{
	(void)data;
	(void)fd;
	(void)events;
}

/* The rest of the log is written when its reader accepts it. */
static void log_watch(struct service *service)
{
	struct error error;
	const int fd = log_flush(&service->log);
	if (fd >= 0 && !service->log_waits)
		service->log_waits =
			loop_add(service->loop, fd, EPOLLOUT, log_ready, NULL, &error) == 0;
	if (fd >= 0 || !service->log_waits)
		return;
	loop_remove(service->loop, log_queue_fd(service->log.queue));
	service->log_waits = false;
}

static void service_idle(void *data)
{
	service_reconcile(data);
	log_watch(data);
}

/* The service monitors before it reads, so it misses no change. Without valid files it waits for
 * them: it is the first process to learn of the correction. */
static int service_run(struct service *service)
{
	struct error error;
	int status = service_listen(service, &error);
	if (status == 0)
		status = service_lease_listen(service, &error);
	if (status == 0) {
		service_read_first(service);
		if (service->desired)
			status = service_keep(service, service->desired, &error);
	}
	if (status == 0)
		status = loop_run(service->loop, service_idle, service, &error);
	notify("STOPPING=1");
	if (status < 0)
		log_error(&service->log, LEVEL_ERROR, NULL, &error);
	if (status < 0 && error.code == CODE_SET_KEPT)
		return EXIT_REFUSED;
	return status < 0 || service->broken ? EXIT_FAILED : EXIT_CONVERGED;
}

static void service_free(struct service *service)
{
	service_engines_free(service);
	service_probe_free(service);
	service_lease_free(service);
	service_wait_end(service);
	service_keep_only(service, NULL);
	service_close_events(service);
	service_nsids_forget(service);
	live_free(service->live);
	desired_free(service->desired);
	desired_free(service->next);
	service_unread(service);
	retry_free(service->retry);
	retry_free(service->rate_credits);
	notices_free(service->reported);
	free(service->left);
	log_free(&service->log);
}

int command_watch(const struct options *options)
{
	if (reads_stdin(options))
		return usage_stdin(options);
	struct service service = {
		.options = options,
		.log = log_new(options),
		.metrics = {.input_valid = true},
		.retry = retry_new(),
		.rate_credits = retry_new(),
		.other_keeper = -1,
	};
	int code = service_run(&service);
	service_free(&service);
	return code;
}
