/* The forms of `status`. */
#ifndef CMD_STATUS_STATUS_H
#define CMD_STATUS_STATUS_H

#include "cmd/session.h"
#include "cmd/status/model.h"

#include <jansson.h>
#include <stdio.h>

/* "live", "drifted", "undeclared", or the name of the action of a step that is not done. */
const char *status_state(const struct status_model_link *link);
/* Whether the object of the step is not live; other differences are drift. */
bool status_not_live(const struct step *step);
/* `times`: with the remaining time of leases, which would differ at each observation. */
json_t *status_json(const struct status_model *model, const struct run *run, bool times);

struct status_style {
	bool color;
	bool times;     /* remaining time of leases */
	unsigned width; /* longer lines are cut; 0: wrapped where the output is a terminal */
};

/* The exit code of what was observed. */
int status_code(const struct run *run, const struct options *options, struct error *fault);

/* One line an object, in columns. */
void status_table(FILE *out, const struct status_model *model, const struct plan *plan,
		  const struct status_style *style);

/* Observes repeatedly, and shows changes, until a signal ends it. Returns an exit code. */
int status_watch(const struct options *options, const struct desired *desired);

#endif
