/* Metrics of the service in Prometheus' text format, for node_exporter's textfile collector. */
#ifndef CMD_WATCH_METRICS_H
#define CMD_WATCH_METRICS_H

#include "lib/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Upper bounds in seconds; the last bucket has none. */
#define METRICS_BUCKETS 10

struct metrics {
	bool converged, input_valid;
	size_t pending, attachments, guests, waiting; /* waiting: failed, to be retried */
	uint64_t repaired, failures, passes, operations;
	double last_apply; /* seconds since the epoch; 0: never */
	uint64_t buckets[METRICS_BUCKETS + 1];
	double duration_sum; /* seconds, total of all passes */
};

void metrics_observe(struct metrics *metrics, double seconds);

/* Writes a temporary file in the same folder and renames it into place. Returns 0 or a negative
 * errno. */
int metrics_write(const struct metrics *metrics, const char *path, struct error *error);

#endif
