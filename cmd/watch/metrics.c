#include "cmd/watch/metrics.h"

#include "lib/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const double bounds[METRICS_BUCKETS] = {0.001, 0.0025, 0.005, 0.01, 0.025,
					       0.05,  0.1,    0.5,   1,    10};

void metrics_observe(struct metrics *metrics, double seconds)
{
	size_t bucket = 0;
	while (bucket < METRICS_BUCKETS && seconds > bounds[bucket])
		bucket++;
	metrics->buckets[bucket]++;
	metrics->duration_sum += seconds;
	metrics->passes++;
}

static void put(FILE *out, const char *name, const char *type, const char *help, double value)
{
	fprintf(out, "# HELP mvapply_%s %s\n# TYPE mvapply_%s %s\nmvapply_%s %.17g\n", name, help,
		name, type, name, value);
}

static void put_durations(FILE *out, const struct metrics *metrics)
{
	uint64_t count = 0;
	fputs("# HELP mvapply_round_duration_seconds Time to handle an event: observe, plan and apply.\n"
	      "# TYPE mvapply_round_duration_seconds histogram\n",
	      out);
	for (size_t i = 0; i < METRICS_BUCKETS; i++) {
		count += metrics->buckets[i];
		fprintf(out, "mvapply_round_duration_seconds_bucket{le=\"%g\"} %" PRIu64 "\n",
			bounds[i], count);
	}
	count += metrics->buckets[METRICS_BUCKETS];
	fprintf(out,
		"mvapply_round_duration_seconds_bucket{le=\"+Inf\"} %" PRIu64 "\n"
		"mvapply_round_duration_seconds_sum %.9g\n"
		"mvapply_round_duration_seconds_count %" PRIu64 "\n",
		count, metrics->duration_sum, count);
}

static void put_all(FILE *out, const struct metrics *metrics)
{
	put(out, "converged", "gauge",
	    "1 if everything is as declared, except pending attachments.", metrics->converged);
	put(out, "input_valid", "gauge", "1 if the files were valid when they were last read.",
	    metrics->input_valid);
	put(out, "attachments", "gauge", "Attachments that are live.",
	    (double)metrics->attachments);
	put(out, "guests", "gauge", "Attachments of containers that no file declares.",
	    (double)metrics->guests);
	put(out, "pending", "gauge", "Attachments whose container does not run yet.",
	    (double)metrics->pending);
	put(out, "waiting", "gauge", "Links that failed and will be retried.",
	    (double)metrics->waiting);
	put(out, "operations_total", "counter", "Links created, changed, replaced or deleted.",
	    (double)metrics->operations);
	put(out, "drift_repaired_total", "counter",
	    "Operations that repaired drift: no change of the files required them.",
	    (double)metrics->repaired);
	put(out, "failures_total", "counter", "Operations that failed.", (double)metrics->failures);
	put(out, "last_apply_timestamp_seconds", "gauge", "Time of the last change.",
	    metrics->last_apply);
	put_durations(out, metrics);
}

/* Other users may write that folder: existing files and links in it are neither followed nor
 * written. */
static FILE *temporary_open(char *path)
{
	cleanup_close int fd = mkostemp(path, O_CLOEXEC);
	FILE *out = fd >= 0 ? fdopen(fd, "w") : NULL;
	if (out)
		(void)fd_steal(&fd);
	return out;
}

int metrics_write(const struct metrics *metrics, const char *path, struct error *error)
{
	char temporary[PATH_MAX];
	snprintf(temporary, sizeof(temporary), "%s.tmp.XXXXXX", path);
	FILE *out = temporary_open(temporary);
	if (!out)
		return error_set(error, errno, "cannot write metrics: %s: %s", temporary,
				 strerror(errno));
	/* The collector runs as another user. */
	(void)fchmod(fileno(out), 0644);
	put_all(out, metrics);
	int failed = ferror(out) | fclose(out);
	if (!failed && rename(temporary, path) == 0)
		return 0;
	int errnum = errno;
	unlink(temporary);
	return error_set(error, errnum, "cannot write metrics: %s: %s", path, strerror(errnum));
}
