#include "cmd/attach/attach_one.h"

#include "cmd/attach/attach.h"
#include "cmd/exit.h"
#include "cmd/output.h"
#include "cmd/output_text.h"

#include <errno.h>
#include <string.h>

struct containers starting_declared(const struct starting *starting, const struct desired *desired,
				    struct arena *arena)
{
	struct containers found = {0};
	for (size_t s = 0; s < desired->n_sets; s++)
		for (size_t i = 0; i < desired->sets[s].n_containers; i++) {
			const struct container *container = &desired->sets[s].containers[i];
			if (service_container_is(&starting->container, container))
				*array_push(arena, found.items, found.count) = container;
		}
	return found;
}

/* Returns 1, 0 if the container has the host's network namespace, or a negative errno. */
static int processes_set(struct lookups *lookups, const struct starting *starting,
			 const struct containers *containers, struct error *error)
{
	const struct known_container known = {.pid = starting->pid,
					      .id = starting->container.names.id,
					      .engine_links = starting->engine_links};
	int status = 1;
	for (size_t i = 0; status > 0 && i < containers->count; i++)
		status = lookups_set(lookups, starting->container.kind,
				     containers->items[i]->source, &known, error);
	return status;
}

/* A runtime shows the text to the user who starts the container: it names mvapply. */
static int attachments_report(void *data, const struct run *run, const struct attach_job *job)
{
	(void)data;
	int code = EXIT_CONVERGED;
	for (size_t i = 0; i < run->plan->n_steps; i++) {
		const struct step *step = &run->plan->steps[i];
		struct error error;
		if (!containers_have(&job->containers, step) ||
		    !attach_step_error(run, step, &error))
			continue;
		error_prepend(&error, "%s", step_id(run->arena, step, job->desired->n_sets > 1));
		text_error(&error);
		code = EXIT_FAILED;
	}
	return code;
}

int attach_one(const struct starting *starting, const struct containers *containers,
	       const struct desired *desired, const struct options *options)
{
	struct error error;
	const struct attach_job job = {.containers = *containers,
				       .desired = desired,
				       .lookups = lookups_new(NULL, NULL, NULL),
				       .options = options};
	int status = processes_set(job.lookups, starting, containers, &error);
	/* 0: nothing to do */
	if (status > 0)
		status = attach_run(&job, attachments_report, NULL, &error);
	lookups_free(job.lookups);
	if (status == -ESTALE && desired->excerpt)
		return status;
	return status < 0 ? run_error(&error, options) : status;
}
