/* Reports a run in the output format of the options. */
#ifndef CMD_OUTPUT_H
#define CMD_OUTPUT_H

#include "cmd/options.h"
#include "lib/error.h"

#include <jansson.h>

struct run;

/* Writes the result of a run; returns the exit code. */
int run_report(const struct run *run, const struct desired *desired, const struct options *options);
/* The same as a JSON document, without the exit code. */
json_t *run_json(const struct run *run, const struct options *options);
/* The report of a command or a run that could not begin; returns the exit code. */
int run_error(const struct error *error, const struct options *options);
/* The same for an error of the command line, with its code and hint. */
__attribute__((format(printf, 4, 5))) int usage_error(const struct options *options, enum code code,
						      const char *hint, const char *format, ...);
/* The same for a run after others, which did the steps `earlier` (or NULL). */
int run_error_after(const struct error *error, json_t *earlier, const struct options *options);

#endif
