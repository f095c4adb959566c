/* A run that attaches some containers, while a runtime starts them, and changes nothing else. */
#ifndef CMD_ATTACH_ATTACH_H
#define CMD_ATTACH_ATTACH_H

#include "cmd/session.h"

struct attach_job {
	struct containers containers; /* of `desired` */
	const struct desired *desired;
	struct lookups *lookups; /* with the processes of the containers that have an engine */
	const struct options *options;
	/* Another program moves the link into the container (apply_options.handed_over): it is not
	 * announced. */
	bool handed_over;
};

/* Reports the results of the containers' attachments: called once, with the last pass. Its result
 * is that of the run. */
typedef int attach_report(void *data, const struct run *run, const struct attach_job *job);

/* Waits up to 10 s for a parent that is missing or down. Returns the result of `report`, or a
 * negative errno if nothing could be tried. -ESTALE: the desired state is an excerpt, and it has to
 * be tried with all of the files. */
int attach_run(const struct attach_job *job, attach_report *report, void *data,
	       struct error *error);

/* Whether the step's attachment was not created: the reason of the plan, or what happened
 * when it was tried. */
bool attach_step_error(const struct run *run, const struct step *step, struct error *error);

#endif
